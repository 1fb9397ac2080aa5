import { request, upload } from "./client";
import type {
  Attachment,
  AuditEntry,
  Call,
  Card,
  CardType,
  Connector,
  Contact,
  Counts,
  Draft as KeptDraft,
  Endpoint,
  Lead,
  Me,
  Message,
  NewMessage,
  NoteKind,
  Operator,
  Page,
  Peaks,
  PresenceState,
  Queue,
  Recording,
  Revision,
  Skill,
  Task,
  Team,
  Template,
  Thread,
  TimelineEntry,
} from "./types";

type Query = Record<string, string | number | null | undefined>;
type Draft = Record<string, unknown>;

const id = encodeURIComponent;

export const session = {
  start: (login: string, password: string) => request<Me>("POST", "/session", { body: { login, password } }),
  end: () => request<void>("DELETE", "/session"),
  me: () => request<Me>("GET", "/me"),
  language: (language: string) => request<Me>("PATCH", "/me", { body: { language } }),
};

export const cards = {
  list: (query: Query, signal?: AbortSignal) =>
    request<Page<Card>>("GET", "/cards", { query, ...(signal && { signal }) }),
  lookup: (kind: string, value: string) => request<Page<Card>>("GET", "/cards/lookup", { query: { kind, value } }),
  get: (card: string) => request<Card>("GET", `/cards/${id(card)}`),
  create: (body: { name: string; type: CardType } & Draft, key: string) =>
    request<Card>("POST", "/cards", { body, idempotencyKey: key }),
  change: (card: Card, body: Draft) =>
    request<Card>("PATCH", `/cards/${id(card.id)}`, { body, ifMatch: card.version }),
  merge: (card: string, other: string) =>
    request<Card>("POST", `/cards/${id(card)}/merge`, { body: { other_id: other } }),
  unmerge: (card: string) => request<Card>("POST", `/cards/${id(card)}/unmerge`, { body: {} }),
  addIdentity: (card: string, body: Draft) =>
    request<Card>("POST", `/cards/${id(card)}/identities`, { body }),
  changeIdentity: (card: string, kind: string, value: string, body: Draft) =>
    request<Card>("PATCH", `/cards/${id(card)}/identities/${id(kind)}/${id(value)}`, { body }),
  removeIdentity: (card: string, kind: string, value: string) =>
    request<Card>("DELETE", `/cards/${id(card)}/identities/${id(kind)}/${id(value)}`),
  addLead: (card: string, note: string, key: string) =>
    request<Lead>("POST", `/cards/${id(card)}/leads`, { body: { note }, idempotencyKey: key }),
  addNote: (card: string, text: string, kind: NoteKind, key: string) =>
    request<unknown>("POST", `/cards/${id(card)}/notes`, { body: { text, kind }, idempotencyKey: key }),
  timeline: (card: string, query: Query) =>
    request<Page<TimelineEntry>>("GET", `/cards/${id(card)}/timeline`, { query }),
};

export const leads = {
  list: (query: Query) => request<Page<Lead>>("GET", "/leads", { query }),
  change: (lead: string, body: Draft) => request<Lead>("PATCH", `/leads/${id(lead)}`, { body }),
  convert: (lead: string) => request<Lead>("POST", `/leads/${id(lead)}/convert`, { body: {} }),
  reject: (lead: string, reason: string) =>
    request<Lead>("POST", `/leads/${id(lead)}/reject`, { body: { reason } }),
};

export const tasks = {
  list: (query: Query) => request<Page<Task>>("GET", "/tasks", { query }),
  create: (card: string, body: Draft, key: string) =>
    request<Task>("POST", `/cards/${id(card)}/tasks`, { body, idempotencyKey: key }),
  change: (task: string, body: Draft) => request<Task>("PATCH", `/tasks/${id(task)}`, { body }),
};

export const calls = {
  list: (query: Query) => request<Page<Call>>("GET", "/calls", { query }),
  get: (call: string) => request<Call>("GET", `/calls/${id(call)}`),
  change: (call: string, body: Draft) => request<Call>("PATCH", `/calls/${id(call)}`, { body }),
};

export const threads = {
  list: (query: Query) => request<Page<Thread>>("GET", "/threads", { query }),
  counts: () => request<Counts>("GET", "/threads/counts"),
  get: (thread: string) => request<Thread>("GET", `/threads/${id(thread)}`),
  messages: (thread: string, query: Query) => request<Page<Message>>("GET", `/threads/${id(thread)}/messages`, { query }),
  send: (thread: string, body: NewMessage, key: string) =>
    request<Message>("POST", `/threads/${id(thread)}/messages`, { body, idempotencyKey: key }),
  act: (thread: string, verb: "close" | "reopen") => request<Thread>("POST", `/threads/${id(thread)}/${verb}`, { body: {} }),
  assign: (thread: string, body: { operator_id: string } | { queue: string }) =>
    request<Thread>("POST", `/threads/${id(thread)}/assign`, { body }),
  read: (thread: string, inbound: number) => request<Thread>("POST", `/threads/${id(thread)}/read`, { body: { inbound } }),
  does: (thread: string, what: "typing" | "viewing") => request<void>("POST", `/threads/${id(thread)}/typing`, { body: { what } }),
  draft: (thread: string) => request<KeptDraft>("GET", `/threads/${id(thread)}/draft`),
  keepDraft: (thread: string, text: string) => request<KeptDraft>("POST", `/threads/${id(thread)}/draft`, { body: { text } }),
};

export const messages = {
  change: (message: string, text: string) => request<Message>("PATCH", `/messages/${id(message)}`, { body: { text } }),
  takeBack: (message: string) => request<void>("DELETE", `/messages/${id(message)}`),
  retry: (message: string) => request<Message>("POST", `/messages/${id(message)}/retry`, { body: {} }),
  revisions: (message: string) => request<Page<Revision>>("GET", `/messages/${id(message)}/revisions`),
};

export const contacts = {
  act: (contact: string, verb: "accept" | "decline" | "take") =>
    request<Contact>("POST", `/contacts/${id(contact)}/${verb}`, { body: {} }),
  defer: (contact: string, until: string) => request<Contact>("POST", `/contacts/${id(contact)}/defer`, { body: { until } }),
};

export const attachments = { upload: (file: File) => upload<Attachment>("/attachments", file) };

export const templates = {
  list: (query: Query = {}) => request<Page<Template>>("GET", "/templates", { query }),
  create: (body: Draft, key: string) => request<Template>("POST", "/templates", { body, idempotencyKey: key }),
  change: (template: Template, body: Draft) =>
    request<Template>("PATCH", `/templates/${id(template.id)}`, { body, ifMatch: template.version }),
  remove: (template: string) => request<void>("DELETE", `/templates/${id(template)}`),
};

export const recordings = {
  get: (recording: string) => request<Recording>("GET", `/recordings/${id(recording)}`),
  peaks: (recording: string) => request<Peaks>("GET", `/recordings/${id(recording)}/peaks`),
  retry: (recording: string) => request<Recording>("POST", `/recordings/${id(recording)}/retry`, { body: {} }),
};

export const operators = {
  list: (query: Query = {}) => request<Page<Operator>>("GET", "/operators", { query: { limit: 200, ...query } }),
  create: (body: Draft) => request<Operator & { password?: string }>("POST", "/operators", { body }),
  change: (operator: string, version: number, body: Draft) =>
    request<Operator>("PATCH", `/operators/${id(operator)}`, { body, ifMatch: version }),
  presence: (state: PresenceState, reason: string | null) =>
    request<unknown>("PUT", "/operators/me/presence", { body: { state, reason } }),
  endpoint: (operator: string, body: Pick<Endpoint, "pbx" | "extension">) =>
    request<unknown>("PUT", `/operators/${id(operator)}/endpoint`, { body }),
};

/** Reading, making and changing of the small things administrators keep. */
function administered<T>(path: string) {
  return {
    list: (query: Query = {}) => request<Page<T>>("GET", path, { query: { limit: 200, ...query } }),
    create: (body: Draft) => request<T>("POST", path, { body }),
    change: (thing: string, version: number, body: Draft) =>
      request<T>("PATCH", `${path}/${id(thing)}`, { body, ifMatch: version }),
  };
}

export const queues = administered<Queue>("/queues");
export const teams = administered<Team>("/teams");
export const skills = administered<Skill>("/skills");
export const connectors = { list: (query: Query = {}) => request<Page<Connector>>("GET", "/connectors", { query }) };
export const audit = { list: (query: Query) => request<Page<AuditEntry>>("GET", "/audit", { query }) };

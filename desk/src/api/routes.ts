import { request } from "./client";
import type {
  AuditEntry,
  Call,
  Card,
  CardType,
  Connector,
  Endpoint,
  Lead,
  Me,
  NoteKind,
  Operator,
  Page,
  Peaks,
  PresenceState,
  Queue,
  Recording,
  Skill,
  Task,
  Team,
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

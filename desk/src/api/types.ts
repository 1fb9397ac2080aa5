/** The shapes of the API. Times are RFC 3339 in UTC, durations (`_s`) seconds, numbers E.164. */

export type Role = "operator" | "supervisor" | "admin";
export type PresenceState = "available" | "paused" | "draining" | "offline";
export type CardKind = "lead" | "client";
export type CardType = "person" | "company";
export type LeadStatus = "new" | "in_work" | "converted" | "rejected";
export type IdentityLevel = "known" | "maybe";
export type Direction = "in" | "out" | "internal";
export type CallState = "ringing" | "menu" | "queued" | "talking" | "held" | "parked" | "ended";
export type Disposition =
  | "answered"
  | "no_answer"
  | "operator_no_answer"
  | "declined"
  | "busy"
  | "abandoned"
  | "voicemail"
  | "failed";
export type ContactState =
  | "queued"
  | "offered"
  | "assigned"
  | "wrap_up"
  | "deferred"
  | "closed"
  | "abandoned"
  | "rejected";
export type NoteKind = "note" | "meeting" | "wish" | "complaint";
export type TimelineKind = "call" | "message" | "note" | "task" | "card_event" | "contact_event";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface FieldProblem {
  field: string;
  message: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string | null;
  errors?: FieldProblem[];
}

export interface OperatorRef {
  id: string;
  name: string;
}

export interface Endpoint {
  pbx: string;
  extension: string;
  interface?: string | null;
  kind?: "phone" | "softphone";
}

export interface Presence {
  state: PresenceState;
  reason: string | null;
  since: string;
}

export interface Me {
  id: string;
  login: string;
  name: string;
  role: Role;
  teams: string[];
  language: string;
  endpoints: Endpoint[];
  presence: Presence | null;
  csrf_token: string | null;
}

export interface LeadSource {
  connector: string | null;
  channel: string | null;
  did: string | null;
  campaign: string | null;
}

export interface Lead {
  id: string;
  status: LeadStatus;
  reason: string | null;
  source: LeadSource;
  note: string;
  version: number;
  created_at: string;
  updated_at: string;
  card_id: string;
}

export interface Identity {
  kind: string;
  value: string;
  label: string | null;
  level: IdentityLevel;
  blocked: boolean;
  undeliverable: boolean;
}

export interface External {
  crm: string;
  id: string;
  url: string | null;
}

export interface Card {
  id: string;
  version: number;
  kind: CardKind;
  type: CardType;
  name: string;
  company: string | null;
  language: string | null;
  priority: number;
  leads: Lead[];
  identities: Identity[];
  owner: OperatorRef | null;
  team: string | null;
  tags: string[];
  note: string;
  fields: Record<string, unknown>;
  external: External[];
  created_at: string;
  updated_at: string;
  last_contact_at: string | null;
}

export interface CallParty {
  number: string | null;
  raw: string | null;
  name: string | null;
}

export interface CallOperator {
  id: string | null;
  name: string | null;
  extension: string | null;
}

export interface Segment {
  operator: CallOperator | null;
  extension: string | null;
  from: string;
  to: string | null;
  ring_s: number;
  talk_s: number;
  hold_s: number;
}

export interface Transfer {
  kind: "blind" | "attended";
  from: string;
  to: string;
  at: string;
  result: "answered" | "busy" | "no_answer" | "queued" | "failed";
}

export interface Call {
  id: string;
  pbx: string;
  linkedid: string;
  direction: Direction;
  state: CallState;
  disposition: Disposition | null;
  from: CallParty;
  to: CallParty;
  did: string | null;
  queue: string | null;
  card_id: string | null;
  operator: CallOperator | null;
  rang: string[];
  started_at: string;
  answered_at: string | null;
  ended_at: string | null;
  hangup_by: "caller" | "callee" | "system" | null;
  hangup_cause: number | null;
  wait_s: number | null;
  talk_s: number | null;
  hold_s: number | null;
  segments: Segment[];
  transfers: Transfer[];
  recordings: string[];
  estimated: string[];
  note: string | null;
}

export interface Contact {
  id: string;
  channel: "voice" | "email" | "chat" | "callback";
  card_id: string | null;
  call_id: string | null;
  thread_id: string | null;
  queue: string | null;
  priority: number;
  skills: string[];
  state: ContactState;
  operator: OperatorRef | null;
  offered_to: string[];
  queued_at: string | null;
  offered_at: string | null;
  assigned_at: string | null;
  closed_at: string | null;
  due_at: string | null;
  reason: string | null;
  outcome: string | null;
}

export interface Operator {
  id: string;
  version: number;
  login: string;
  name: string;
  role: Role;
  active: boolean;
  teams: string[];
  skills: Record<string, number>;
  capacity: Record<string, number>;
  endpoints: Endpoint[];
  presence: Presence;
  language: string;
}

export interface Queue {
  id: string;
  version: number;
  name: string;
  team: string;
  channels: string[];
  skills: string[];
  pbx_queues: string[];
  distribution: string;
  waiting: number;
  longest_wait_s: number | null;
  longest_since: string | null;
  operators: Partial<Record<string, number>>;
  hours: string;
  timezone: string | null;
  owned_by_file: boolean;
}

export interface Team {
  id: string;
  version: number;
  name: string;
}

export interface Skill {
  id: string;
  version: number;
  name: string;
}

export interface Connector {
  id: string;
  name: string;
  kind: string;
  queue: string | null;
  state: "connecting" | "up" | "down" | "needs_administrator";
  since: string;
  detail: string;
  remedy: string;
  owned_by_file: boolean;
}

export interface AuditEntry {
  id: string;
  at: string;
  actor: OperatorRef | null;
  by: string;
  address: string | null;
  action: string;
  object_kind: string | null;
  object_id: string | null;
  team: string | null;
  detail: Record<string, unknown>;
}

export interface Note {
  text: string;
  kind: NoteKind;
  author: OperatorRef | null;
}

export interface CardEvent {
  type: string;
  by: OperatorRef | null;
  detail: Record<string, unknown>;
}

export interface TimelineEntry {
  id: string;
  card_id: string;
  at: string;
  kind: TimelineKind;
  channel: string | null;
  direction: Direction | null;
  summary: string;
  call?: Call | null;
  note?: Note | null;
  card_event?: CardEvent | null;
}

export interface CardOpened {
  card: Card | null;
  candidates: Card[];
  created: boolean;
  because: "call" | "message" | "callback" | "task";
  call: Call | null;
  contact: Contact | null;
}

export interface Hello {
  me: Me;
  contacts: Contact[];
  calls: Call[];
  queues: Queue[];
  operators: Operator[];
}

export interface Frame {
  type: string;
  seq: number;
  at?: string;
  data: unknown;
}

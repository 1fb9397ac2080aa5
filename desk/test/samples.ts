import type { Call, Card, Contact, Frame, Hello, Me } from "../src/api/types";

export const NOW = Date.parse("2026-11-22T09:15:04.120Z");
export const AT = "2026-11-22T09:15:00.000Z";

export const me: Me = {
  id: "me",
  login: "anna",
  name: "Анна",
  role: "operator",
  teams: ["main"],
  language: "ru",
  endpoints: [{ pbx: "pbx1", extension: "101", interface: null, kind: "phone" }],
  presence: { state: "available", reason: null, since: AT },
  csrf_token: null,
  scopes: null,
};

export const card = { id: "card", version: 1, name: "Иван", identities: [], leads: [] } as unknown as Card;

export function call(over: Partial<Call> = {}): Call {
  return {
    id: "call",
    pbx: "pbx1",
    linkedid: "1.1",
    direction: "in",
    state: "ringing",
    disposition: null,
    from: { number: "+79991234567", raw: "89991234567", name: null },
    to: { number: null, raw: "101", name: null },
    did: "+74951234567",
    queue: "support",
    card_id: "card",
    operator: null,
    rang: ["101"],
    started_at: AT,
    answered_at: null,
    ended_at: null,
    hangup_by: null,
    hangup_cause: null,
    wait_s: 0,
    talk_s: 0,
    hold_s: 0,
    segments: [],
    transfers: [],
    recordings: [],
    estimated: [],
    note: null,
    ...over,
  } as Call;
}

export function contact(over: Partial<Contact> = {}): Contact {
  return { id: "contact", channel: "voice", call_id: "call", card_id: "card", queue: "support", state: "offered", offered_to: ["me"], ...over } as Contact;
}

export const ANNA = { id: "me", name: "Анна", extension: "101" };
export const BORIS = { id: "boris", name: "Борис", extension: "102" };

let seq = 1;
export const frame = (type: string, data: unknown): Frame => ({ type, seq: seq++, at: AT, data });
export const hello = (over: Partial<Hello> = {}): Frame =>
  frame("hello", { me: structuredClone(me), contacts: [], calls: [], queues: [], operators: [], ...over });
export const opened = (one = call()): Frame =>
  frame("card.opened", { card, candidates: [], created: false, because: "call", call: one, contact: contact() });

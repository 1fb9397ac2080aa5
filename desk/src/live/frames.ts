import type { Call, Card, CardOpened, Contact, Frame, Hello, Operator, Queue } from "../api/types";
import { isMine, isMyExtension, type BarItem, type LiveState, type Phase } from "./state";

const CLOSED_CONTACTS = new Set(["closed", "abandoned", "rejected"]);

/** Applies one frame of the event socket to what is known. `now`: milliseconds of the service's clock. */
export function applyFrame(state: LiveState, frame: Frame, now: number): void {
  const noun = frame.type.split(".")[0];
  const data = frame.data as Record<string, unknown>;
  if (frame.type === "hello") applyHello(state, frame.data as Hello, now);
  else if (frame.type === "card.opened") applyOpened(state, frame.data as CardOpened, now);
  else if (frame.type === "card.updated") applyCard(state, frame.data as Card);
  else if (noun === "call" && data["merged_into"]) dropCall(state, (data["call"] as Call).id);
  else if (noun === "call") applyCall(state, data["call"] as Call, now);
  else if (noun === "contact") applyContact(state, data["contact"] as Contact, now);
  else if (noun === "queue") applyQueue(state, frame.data as Queue, now);
  else if (frame.type === "operator.updated" || frame.type === "presence.changed") applyOperator(state, data as unknown as Operator);
}

function byId<T extends { id: string }>(items: T[]): Record<string, T> {
  return Object.fromEntries(items.map((item) => [item.id, item]));
}

/** `hello` is the whole present state: what it does not mention is over. */
function applyHello(state: LiveState, hello: Hello, now: number): void {
  state.me = hello.me;
  state.contacts = byId(hello.contacts);
  state.calls = byId(hello.calls.filter((call) => call.state !== "ended"));
  state.queues = byId(hello.queues.map((queue) => ({ ...queue, seenAt: now })));
  state.operators = byId(hello.operators);
  for (const item of state.bar) {
    if (!state.calls[item.callId] && isOpen(item.phase)) enter(item, "ended", now);
  }
  for (const call of Object.values(state.calls)) applyCall(state, call, now);
  for (const contact of hello.contacts) {
    applyContact(state, contact, now);
    ringsAlready(state, contact, now);
  }
}

function isOpen(phase: Phase): boolean {
  return phase === "ringing" || phase === "dialling" || phase === "talking" || phase === "held";
}

function applyOpened(state: LiveState, opened: CardOpened, now: number): void {
  if (!opened.call) return;
  if (opened.contact) state.contacts[opened.contact.id] = opened.contact;
  state.calls[opened.call.id] = opened.call;
  const item = state.bar.find((known) => known.callId === opened.call?.id) ?? addItem(state, opened.call, now);
  item.call = opened.call;
  item.card = opened.card;
  item.candidates = opened.candidates;
  item.created = opened.created;
  if (!isOpen(item.phase)) enter(item, "ringing", now);
}

function addItem(state: LiveState, call: Call, now: number, phase: Phase = "ringing"): BarItem {
  state.bar.push({ callId: call.id, call, card: null, candidates: [], created: false, phase, by: null, since: now });
  state.recent = state.recent.filter((item) => item.callId !== call.id);
  // Read back, so that the caller holds what the state watches rather than the bare object.
  return state.bar[state.bar.length - 1] as BarItem;
}

function applyCall(state: LiveState, call: Call, now: number): void {
  if (call.state === "ended") delete state.calls[call.id];
  else state.calls[call.id] = call;
  const item = state.bar.find((known) => known.callId === call.id) ?? ownCall(state, call, now);
  if (!item) return;
  item.call = call;
  enter(item, nextPhase(state, item, call), now);
  if (item.phase === "elsewhere") item.by = call.operator?.name ?? call.operator?.extension ?? item.by;
}

/** It was a part of another call, which is shown. */
function dropCall(state: LiveState, id: string): void {
  delete state.calls[id];
  state.bar = state.bar.filter((item) => item.callId !== id);
}

/** A call nobody offered me but which is mine all the same: one I made, or was in before this page was loaded. */
function ownCall(state: LiveState, call: Call, now: number): BarItem | null {
  if (!state.me || call.state === "ended") return null;
  const talks = call.state === "talking" || call.state === "held";
  if (talks && isMine(state.me, call)) return addItem(state, call, now, call.state as Phase);
  const dials = call.direction !== "in" && isMyExtension(state.me, call.pbx, call.from.raw ?? call.from.number);
  return dials && !talks ? addItem(state, call, now, "dialling") : null;
}

function nextPhase(state: LiveState, item: BarItem, call: Call): Phase {
  const mine = state.me !== null && (isMine(state.me, call) || item.phase === "dialling");
  if (call.state === "talking" || call.state === "held") return mine ? call.state : "elsewhere";
  if (call.state !== "ended") return item.phase;
  if (item.phase === "ringing") return call.disposition === "answered" && !mine ? "elsewhere" : "missed";
  return isOpen(item.phase) ? "ended" : item.phase;
}

function enter(item: BarItem, phase: Phase, now: number): void {
  if (item.phase === phase) return;
  item.phase = phase;
  item.since = now;
}

function applyContact(state: LiveState, contact: Contact, now: number): void {
  if (CLOSED_CONTACTS.has(contact.state)) delete state.contacts[contact.id];
  else state.contacts[contact.id] = contact;
  const me = state.me;
  if (!me || contact.channel !== "voice" || !contact.call_id) return;
  const offered = contact.state === "offered" && contact.offered_to.includes(me.id);
  const item = state.bar.find((known) => known.callId === contact.call_id);
  if (item?.phase === "missed" && offered) enter(item, "ringing", now);
  else if (item?.phase === "ringing" && isElsewhere(contact, offered)) enter(item, "missed", now);
}

/** A call that rang here before this page was opened; later ones come with `card.opened`. */
function ringsAlready(state: LiveState, contact: Contact, now: number): void {
  const call = contact.call_id ? state.calls[contact.call_id] : undefined;
  const offered = state.me !== null && contact.state === "offered" && contact.offered_to.includes(state.me.id);
  if (call && offered && !state.bar.some((item) => item.callId === call.id)) addItem(state, call, now);
}

/** The offer to me is over while the call still waits: it rings somebody else now or is back in its queue. */
function isElsewhere(contact: Contact, offered: boolean): boolean {
  return !offered && (contact.state === "queued" || contact.state === "offered");
}

function applyCard(state: LiveState, card: Card): void {
  for (const item of [...state.bar, ...state.recent]) {
    if (item.card?.id === card.id) item.card = card;
    else if (!item.card && item.call.card_id === card.id) item.card = card;
  }
}

function applyQueue(state: LiveState, queue: Queue, now: number): void {
  state.queues[queue.id] = { ...state.queues[queue.id], ...queue, seenAt: now };
}

function applyOperator(state: LiveState, operator: Operator): void {
  state.operators[operator.id] = { ...state.operators[operator.id], ...operator };
  if (state.me?.id !== operator.id) return;
  Object.assign(state.me, {
    name: operator.name,
    presence: operator.presence,
    endpoints: operator.endpoints,
  });
}

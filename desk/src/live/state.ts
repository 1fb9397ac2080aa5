import type { Call, Card, Contact, Me, Operator, Queue } from "../api/types";

/** What a call is to the one who looks at the call bar. */
export type Phase =
  | "ringing" // my phone rings
  | "dialling" // I am calling out
  | "talking"
  | "held"
  | "elsewhere" // somebody else took it
  | "missed" // rang here, nobody here answered
  | "ended";

export interface BarItem {
  callId: string;
  call: Call;
  card: Card | null;
  candidates: Card[];
  created: boolean;
  phase: Phase;
  /** Who answered instead, when that is known. */
  by: string | null;
  /** When the phase began, milliseconds of the service's clock. */
  since: number;
}

/** A queue beside the moment its figures were true, so that waiting times can go on ticking. */
export interface LiveQueue extends Queue {
  seenAt: number;
}

export interface LiveState {
  me: Me | null;
  contacts: Record<string, Contact>;
  calls: Record<string, Call>;
  queues: Record<string, LiveQueue>;
  operators: Record<string, Operator>;
  bar: BarItem[];
  /** The last calls that left the bar, newest first. */
  recent: BarItem[];
}

export function emptyState(): LiveState {
  return { me: null, contacts: {}, calls: {}, queues: {}, operators: {}, bar: [], recent: [] };
}

const RECENT = 3;
const FADE_MS = 8_000;

/** Whether my phone is one of the two ends of this call. */
export function isMine(me: Me, call: Call): boolean {
  if (call.operator?.id) return call.operator.id === me.id;
  return isMyExtension(me, call.pbx, call.operator?.extension ?? null);
}

export function isMyExtension(me: Me, pbx: string, extension: string | null): boolean {
  return extension !== null && me.endpoints.some((own) => own.pbx === pbx && own.extension === extension);
}

/** Moves what is over from the bar to the recent calls; a missed call stays until somebody has seen it. */
export function settle(state: LiveState, now: number): void {
  const over = state.bar.filter(
    (item) => (item.phase === "ended" || item.phase === "elsewhere") && now - item.since >= FADE_MS,
  );
  for (const item of over) dismiss(state, item.callId);
}

/** Takes one call out of the bar at once. */
export function dismiss(state: LiveState, callId: string): void {
  const item = state.bar.find((candidate) => candidate.callId === callId);
  if (!item) return;
  state.bar = state.bar.filter((other) => other !== item);
  state.recent = [item, ...state.recent.filter((other) => other.callId !== callId)].slice(0, RECENT);
}

import { computed, reactive, ref } from "vue";
import { apiUrl } from "../api/client";
import { operators, session } from "../api/routes";
import type { Call, Frame, PresenceState } from "../api/types";
import { learnClock, serverNow } from "./clock";
import { createConnection, type Connection } from "./connection";
import { applyFrame } from "./frames";
import { dismiss, emptyState, settle } from "./state";

/** Everything the event socket tells, as this person may see it. */
export const live = reactive(emptyState());

/** When the connection was lost (this machine's milliseconds), or null while it is there. */
export const lostSince = ref<number | null>(Date.now());

/** When the last frame came. */
export const lastFrameAt = ref<number | null>(null);

/** Grows with every `hello`: whoever shows a list or a card reads it again. */
export const generation = ref(0);

export const ringing = computed(() => live.bar.filter((item) => item.phase === "ringing"));

type Listener = (frame: Frame) => void;
const listeners = new Set<Listener>();
let connection: Connection | null = null;
let settling: ReturnType<typeof setInterval> | null = null;
let lastBeat = Date.now();

/** A machine that slept this long has missed frames although its socket seems open. */
const SLEPT_MS = 90_000;

/** Hears every frame after the state has taken it in; returns the way to stop hearing. */
export function onFrame(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function take(frame: Frame): void {
  learnClock(frame.at);
  lastFrameAt.value = Date.now();
  applyFrame(live, frame, serverNow());
  if (frame.type === "hello") generation.value++;
  for (const listener of listeners) listener(frame);
}

function openSocket(): WebSocket {
  const url = apiUrl("/events");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}

function beat(): void {
  const slept = Date.now() - lastBeat > SLEPT_MS && !document.hidden;
  lastBeat = Date.now();
  settle(live, serverNow());
  if (slept) connection?.restart();
}

function nudge(): void {
  connection?.nudge();
}

export function startLive(): void {
  if (connection) return;
  connection = createConnection({
    open: openSocket,
    onFrame: take,
    onLost: (since) => (lostSince.value = since),
    // The browser hides why a socket was refused; /me answers 401 when nobody is signed in.
    onRefused: () => void session.me().catch(() => undefined),
  });
  connection.start();
  settling = setInterval(beat, 1_000);
  window.addEventListener("online", nudge);
  window.addEventListener("focus", nudge);
  document.addEventListener("visibilitychange", nudge);
}

export function stopLive(): void {
  connection?.stop();
  connection = null;
  if (settling !== null) clearInterval(settling);
  window.removeEventListener("online", nudge);
  window.removeEventListener("focus", nudge);
  document.removeEventListener("visibilitychange", nudge);
  Object.assign(live, emptyState());
}

export function dismissCall(callId: string): void {
  dismiss(live, callId);
}

/** Says how available I am; what is shown changes when the service says so. */
export async function changePresence(state: PresenceState, reason: string | null = null): Promise<void> {
  await operators.presence(state, reason);
  if (live.me) live.me.presence = { state, reason, since: new Date(serverNow()).toISOString() };
}

/** The outside number of a call, whoever dialled. */
export function clientOf(call: Call) {
  return call.direction === "out" ? call.to : call.from;
}

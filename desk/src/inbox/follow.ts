import { onScopeDispose, watch } from "vue";
import { threads } from "../api/routes";
import type { Frame, MessageChanged, Thread } from "../api/types";
import { me } from "../entry/session";
import { i18n } from "../i18n";
import { onFrame } from "../live/store";
import { openThread } from "../router";
import { ping } from "../shift/sound";
import { badge } from "../shift/title";
import { countAgain, countNow, counts } from "./counts";
import { drop, offers, takeFrame } from "./offers";
import { sendAll, settleSent } from "./outbox";
import { isLookedAt } from "./looking";

const TAKEN_SHOWN_MS = 5_000;
const shown = new Map<string, Notification>();

function notify(thread: Thread): void {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) return;
  const made = new Notification(thread.client.name || i18n.global.t("card.unnamed"), { body: thread.preview, tag: `thread-${thread.id}` });
  made.onclick = () => {
    window.focus();
    openThread(thread.id);
    made.close();
  };
  shown.set(thread.id, made);
}

/** One tab makes the sound, however many are open: the first that gets the lock keeps it while it sounds. */
function pingInOneTab(thread: string): void {
  if (!navigator.locks) return ping();
  const once = async (lock: Lock | null) => {
    if (!lock) return;
    ping();
    await new Promise((done) => setTimeout(done, 1_000));
  };
  void navigator.locks.request(`perezvon.ping.${me.value?.id}.${thread}`, { ifAvailable: true }, once);
}

function tell(thread: Thread): void {
  if (isLookedAt(thread.id)) return;
  notify(thread);
  pingInOneTab(thread.id);
}

function hear(frame: Frame): void {
  const mine = me.value?.id ?? "";
  takeFrame(offers, frame, mine);
  if (frame.type === "hello") {
    countNow();
    void sendAll();
  }
  if (/^(message|thread|contact)\./.test(frame.type) && frame.type !== "thread.presence") countAgain();
  if (frame.type.startsWith("message.")) {
    const { message, thread } = frame.data as MessageChanged;
    settleSent(message);
    if (frame.type === "message.received" && thread.assignee?.id === mine) tell(thread);
  }
}

/** What was offered before this page was loaded came without its thread. */
async function fetchThread(id: string): Promise<void> {
  const thread = await threads.get(id).catch(() => null);
  for (const one of offers) if (one.contact.thread_id === id) one.thread ??= thread;
}

/** Offers, counters, sound, notifications and what waits to be sent follow the events while somebody is signed in. */
export function followInbox(): void {
  onScopeDispose(onFrame(hear));
  countNow();
  watch(
    () => offers.map((one) => ({ id: one.contact.id, by: one.by, thread: one.contact.thread_id, known: one.thread })),
    (now, before = []) => {
      for (const one of now) {
        const was = before.find((other) => other.id === one.id);
        if (!was && !one.known && one.thread) void fetchThread(one.thread);
        if (!was && one.known && !one.by) tell(one.known);
        if (one.by && !was?.by) setTimeout(() => drop(offers, one.id), TAKEN_SHOWN_MS);
      }
    },
    { immediate: true },
  );
  watch(
    () => counts.mine + offers.filter((one) => !one.by).length,
    (count) => (badge.value = count),
    { immediate: true },
  );
  onScopeDispose(() => {
    badge.value = 0;
    offers.splice(0);
  });
}

/** What is read needs no notification any more. */
export function forgetNotification(thread: string): void {
  shown.get(thread)?.close();
  shown.delete(thread);
}

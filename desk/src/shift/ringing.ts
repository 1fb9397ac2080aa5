import { watch } from "vue";
import { me } from "../entry/session";
import { formatPhone } from "../format/phone";
import { i18n } from "../i18n";
import { clientOf, ringing } from "../live/store";
import type { BarItem } from "../live/state";
import { startRing, stopRing } from "./sound";
import { followTitle, titleOfCall } from "./title";

const shown = new Map<string, Notification>();

function callerName(item: BarItem): string {
  const number = clientOf(item.call);
  return item.card?.name || number.name || i18n.global.t("callbar.unknown");
}

function notify(item: BarItem, open: (item: BarItem) => void): void {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) return;
  const { t } = i18n.global;
  const body = t("notify.body", { number: formatPhone(clientOf(item.call).number), queue: item.call.queue ?? "" });
  const notification = new Notification(`☎ ${callerName(item)}`, {
    body: body.replace(/ · $/, ""),
    tag: `call-${item.callId}`,
    requireInteraction: true,
  });
  notification.onclick = () => {
    window.focus();
    open(item);
    notification.close();
  };
  shown.set(item.callId, notification);
}

function closeOthers(stillRinging: Set<string>): void {
  for (const [callId, notification] of shown) {
    if (stillRinging.has(callId)) continue;
    notification.close();
    shown.delete(callId);
  }
}

/** One tab rings, however many are open; when it closes, the next goes on. */
function ringInOneTab(signal: AbortSignal): void {
  if (!navigator.locks) {
    startRing();
    signal.addEventListener("abort", stopRing);
    return;
  }
  const held = () =>
    new Promise<void>((release) => {
      startRing();
      const stop = () => {
        stopRing();
        release();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop);
    });
  navigator.locks.request(`perezvon.ring.${me.value?.id}`, { signal }, held).catch(() => stopRing());
}

/** Sound, title and desktop notification follow the calls that ring here. */
export function followRinging(open: (item: BarItem) => void): void {
  followTitle();
  let ring: AbortController | null = null;
  watch(
    () => ringing.value.map((item) => item.callId),
    (now, before = []) => {
      const first = ringing.value[0];
      titleOfCall(first ? `☎ ${callerName(first)}` : "");
      for (const item of ringing.value) if (!before.includes(item.callId)) notify(item, open);
      closeOthers(new Set(now));
      if (first && !ring) ringInOneTab((ring = new AbortController()).signal);
      if (!first) {
        ring?.abort();
        ring = null;
      }
    },
  );
}

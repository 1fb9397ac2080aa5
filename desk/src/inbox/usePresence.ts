import { computed, onScopeDispose, reactive } from "vue";
import { threads } from "../api/routes";
import type { MessageChanged, ThreadPresence } from "../api/types";
import { me } from "../entry/session";
import { i18n } from "../i18n";
import { serverNow, useNow } from "../live/clock";
import { onFrame } from "../live/store";
import { isLookedAt } from "./looking";

const LOOK_EVERY_MS = 5_000;

/** Who else looks at a thread or writes in it, in words; tells them that I look. */
export function usePresence(thread: string) {
  const now = useNow();
  const others = reactive(new Map<string, ThreadPresence & { until: number }>());

  onScopeDispose(
    onFrame((frame) => {
      if (frame.type === "message.received") others.delete((frame.data as MessageChanged).message.thread_id === thread ? "client" : "");
      if (frame.type !== "thread.presence") return;
      const told = frame.data as ThreadPresence;
      if (told.thread_id !== thread || told.by.id === (me.value?.id ?? "")) return;
      const key = told.by.id ?? told.by.kind;
      const known = others.get(key);
      if (known?.what === "typing" && told.what === "viewing" && known.until > serverNow()) return;
      others.set(key, { ...told, until: serverNow() + told.for_s * 1_000 });
    }),
  );

  // Presence that is not told is no loss: it is told again shortly.
  const look = () => void (isLookedAt(thread) && threads.does(thread, "viewing").catch(() => undefined));
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  onScopeDispose(() => clearInterval(timer));

  return computed(() => {
    const { t } = i18n.global;
    return [...others.values()]
      .filter((one) => one.until > now.value)
      .map((one) => t(`inbox.${one.what}`, { name: one.by.name || t(`inbox.${one.by.kind}`) }))
      .join(" · ");
  });
}

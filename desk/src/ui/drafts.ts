import { ref, watch, type Ref } from "vue";
import { me } from "../entry/session";

/** A text that survives reloads, sign-outs and crashes in this browser; empty texts are forgotten. */
export function useDraft(name: string): Ref<string> {
  const key = `perezvon.draft.${me.value?.id ?? ""}.${name}`;
  const text = ref(localStorage.getItem(key) ?? "");
  watch(
    text,
    (now) => {
      if (now) localStorage.setItem(key, now);
      else localStorage.removeItem(key);
    },
    { flush: "sync" },
  );
  return text;
}

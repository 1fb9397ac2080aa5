import { ref, watch } from "vue";

/** How many conversations wait for me: shown before the name of the page. */
export const badge = ref(0);
const call = ref("");

/** Who rings, or an empty text: a call stands before everything else. */
export function titleOfCall(words: string): void {
  call.value = words;
}

/** Keeps the title of the page while the desk is shown. */
export function followTitle(): void {
  const plain = document.title.replace(/^\(\d+\) /, "");
  watch(
    [badge, call],
    () => (document.title = call.value ? `${call.value} · ${plain}` : badge.value ? `(${badge.value}) ${plain}` : plain),
    { immediate: true },
  );
}

import { onScopeDispose, readonly, ref } from "vue";

let offset = 0;
const tick = ref(Date.now());
let users = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** Milliseconds by the service's clock, which may differ from this machine's. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** Learns the difference from the time written on a frame that has just come. */
export function learnClock(at: string | undefined): void {
  const told = at ? Date.parse(at) : NaN;
  if (Number.isFinite(told)) offset = told - Date.now();
}

/** A number that grows with the service's clock once a second while somebody looks at it. */
export function useNow() {
  if (users++ === 0) {
    tick.value = serverNow();
    timer = setInterval(() => (tick.value = serverNow()), 1_000);
  }
  onScopeDispose(() => {
    if (--users === 0 && timer !== null) clearInterval(timer);
  });
  return readonly(tick);
}

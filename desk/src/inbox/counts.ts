import { reactive } from "vue";
import { threads } from "../api/routes";
import type { Counts } from "../api/types";

/** Threads that wait for an answer of ours, as the service counts them. */
export const counts = reactive<Counts>({ mine: 0, unassigned: 0, all: 0 });

const MOST = 1_000;
const SETTLE_MS = 1_500;
let timer: ReturnType<typeof setTimeout> | null = null;

/** Where the service stops counting, a plus says so. */
export function countText(count: number): string {
  return count >= MOST ? "999+" : String(count);
}

async function read(): Promise<void> {
  // Without an answer the old figures stay; the next event asks again.
  Object.assign(counts, await threads.counts().catch(() => ({})));
}

/** Asks again soon; many events in a row ask once. */
export function countAgain(): void {
  timer ??= setTimeout(() => {
    timer = null;
    void read();
  }, SETTLE_MS);
}

export function countNow(): void {
  void read();
}

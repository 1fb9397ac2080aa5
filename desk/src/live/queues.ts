import type { LiveQueue } from "./state";

/** Seconds the longest waiting caller has waited by `now`; 0 when nobody waits. */
export function longestWait(queue: LiveQueue, now: number): number {
  if (!queue.waiting) return 0;
  return (queue.longest_wait_s ?? 0) + Math.max(0, (now - queue.seenAt) / 1000);
}

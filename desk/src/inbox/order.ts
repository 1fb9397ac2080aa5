import type { Message } from "../api/types";

/** So many messages are in the page at once, however long the thread is. */
export const MOST_SHOWN = 400;

/** The order of the service: by time, then as they were stored; what is not sent off yet comes last. */
function compare(a: Message, b: Message): number {
  return a.at === b.at ? (a.seq ?? Infinity) - (b.seq ?? Infinity) || a.id.localeCompare(b.id) : a.at < b.at ? -1 : 1;
}

/** Both in order, each message once, as `second` has it. */
export function join(first: Message[], second: Message[]): Message[] {
  const all = new Map(first.map((one) => [one.id, one]));
  for (const one of second) all.set(one.id, one);
  return [...all.values()].sort(compare);
}

/** The oldest message of the client that was not read, of those shown; null where all were. */
export function firstUnread(items: Message[], unread: number): string | null {
  if (!unread) return null;
  const inbound = items.filter((one) => one.direction === "in");
  return inbound[Math.max(0, inbound.length - unread)]?.id ?? null;
}

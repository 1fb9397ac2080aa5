import { shallowRef, type ShallowRef } from "vue";
import { templates } from "../api/routes";
import type { Template, Thread } from "../api/types";

const known = shallowRef<Template[]>([]);
const FRESH_MS = 60_000;
let readAt = 0;

/** Everybody's templates and those of one's teams, read again after a minute. */
export function useTemplates(): Readonly<ShallowRef<Template[]>> {
  if (Date.now() - readAt > FRESH_MS) void readTemplates().catch(() => undefined);
  return known;
}

export async function readTemplates(): Promise<void> {
  readAt = Date.now();
  known.value = (await templates.list()).items;
}

/** Those for the channel whose shortcut begins with, or whose name holds, what was typed; shortcuts first. */
export function matching(all: Template[], query: string, channel: Thread["channel"]): Template[] {
  const wanted = query.toLowerCase();
  const begins = (one: Template) => (one.shortcut ?? "").toLowerCase().startsWith(wanted) && one.shortcut !== null;
  return all
    .filter((one) => !one.channels.length || one.channels.includes(channel))
    .filter((one) => begins(one) || one.name.toLowerCase().includes(wanted))
    .sort((a, b) => Number(begins(b)) - Number(begins(a)) || a.name.localeCompare(b.name));
}

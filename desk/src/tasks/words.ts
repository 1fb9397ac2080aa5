import type { Task } from "../api/types";
import { clockTime, dayName } from "../format/time";
import type { IconName } from "../ui/icons";

const ICONS: Record<Task["action"], IconName> = { call: "phone", write: "mail", other: "check" };

export const actionIcon = (task: Task): IconName => ICONS[task.action];

/** Today the time alone, otherwise the day with it. */
export function dueWords(at: string, now: number, language: string): string {
  const day = dayName(at, now, language);
  return day === dayName(now, now, language) ? clockTime(at, language) : `${day}, ${clockTime(at, language)}`;
}

import type { TimelineEntry } from "../api/types";
import { i18n } from "../i18n";
import type { Messages } from "../i18n/ru";

type EventKey = keyof Messages["timeline"]["event"];

function isKnown(type: string): type is EventKey {
  return i18n.global.te(`timeline.event.${type}`);
}

/** What happened to the card, in words where this desk has them, else as the service summed it up. */
export function eventText(entry: TimelineEntry): string {
  const type = entry.card_event?.type ?? "";
  const words = isKnown(type) ? i18n.global.t(`timeline.event.${type}`) : entry.summary || type;
  return [words, entry.card_event?.by?.name].filter(Boolean).join(" · ");
}

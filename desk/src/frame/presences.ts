import type { Presence, PresenceState } from "../api/types";
import { i18n } from "../i18n";

export interface PresenceChoice {
  key: "available" | "break" | "lunch" | "training" | "draining" | "offline";
  state: PresenceState;
  reason: string | null;
}

/** What Alt+1 … Alt+6 and the menu offer, in this order. */
export const PRESENCES: readonly PresenceChoice[] = [
  { key: "available", state: "available", reason: null },
  { key: "break", state: "paused", reason: "break" },
  { key: "lunch", state: "paused", reason: "lunch" },
  { key: "training", state: "paused", reason: "training" },
  { key: "draining", state: "draining", reason: null },
  { key: "offline", state: "offline", reason: null },
];

const NAMED_REASONS = ["break", "lunch", "training", "no_answer"] as const;

/** The state in words: a reason known here is translated, another is shown as it was given. */
export function presenceName(presence: Pick<Presence, "state" | "reason">): string {
  const { t } = i18n.global;
  const named = NAMED_REASONS.find((reason) => reason === presence.reason);
  if (presence.state !== "paused") return t(`presence.${presence.state}`);
  return named ? t(`presence.${named}`) : (presence.reason ?? t("presence.paused"));
}

/** A shape for each state, because colour alone tells nothing to some. */
export const PRESENCE_MARKS: Record<PresenceState, string> = {
  available: "●",
  paused: "◐",
  draining: "◒",
  offline: "○",
};

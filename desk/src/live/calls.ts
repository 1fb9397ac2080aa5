import type { Call } from "../api/types";

/** An incoming call that ended without anybody having talked. */
export function isMissed(call: Call): boolean {
  return call.direction === "in" && call.state === "ended" && call.disposition !== "answered";
}

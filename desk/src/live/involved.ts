import type { Call } from "../api/types";
import { isMine, isMyExtension, type LiveState } from "./state";

/** Whether a live call is offered to me, held by me or made by me. */
export function callInvolves(state: LiveState, call: Call): boolean {
  const me = state.me;
  if (!me) return false;
  if (call.operator && isMine(me, call)) return true;
  if (call.direction !== "in" && isMyExtension(me, call.pbx, call.from.raw ?? call.from.number)) return true;
  return Object.values(state.contacts).some((contact) => contact.call_id === call.id && contact.offered_to.includes(me.id) && contact.state === "offered");
}

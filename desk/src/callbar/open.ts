import { dismissCall } from "../live/store";
import type { BarItem } from "../live/state";
import { router } from "../router";
import { drawerOpen } from "../ui/screen";

/** Shows the caller's card, or the call itself where there is none; a missed call is thereby seen. */
export function openItem(item: BarItem): void {
  const card = item.card?.id ?? item.call.card_id;
  drawerOpen.value = true;
  void router.push(
    card
      ? { name: "work", params: { section: "desk", card } }
      : { name: "work", params: { section: "desk", card: "" }, query: { call: item.callId } },
  );
  if (item.phase === "missed") dismissCall(item.callId);
}

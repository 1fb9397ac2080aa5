import { watch } from "vue";
import { cards } from "../api/routes";
import { live } from "../live/store";

/** Reads the cards of calls in the bar that came without one: those that were going on when the page was opened. */
export function fetchMissingCards(): void {
  const asked = new Set<string>();
  watch(
    () => live.bar.filter((item) => !item.card && item.call.card_id).map((item) => item.call.card_id as string),
    async (ids) => {
      for (const id of ids.filter((one) => !asked.has(one))) {
        asked.add(id);
        // The bar shows the number where the card cannot be had.
        const card = await cards.get(id).catch(() => null);
        for (const item of live.bar) if (!item.card && item.call.card_id === id) item.card = card;
      }
    },
    { immediate: true },
  );
}

import { reactive } from "vue";
import { cards } from "../api/routes";
import type { Card } from "../api/types";
import { cardTitle } from "../card/describe";
import { onFrame } from "../live/store";

const titles = reactive(new Map<string, string>());
const asked = new Set<string>();

onFrame((frame) => {
  if (frame.type !== "card.updated") return;
  const card = frame.data as Card;
  if (titles.has(card.id)) titles.set(card.id, cardTitle(card));
});

/** Names of the cards that rows refer to, each read once. */
export function cardNames() {
  function want(ids: (string | null)[]): void {
    for (const id of ids) {
      if (!id || asked.has(id)) continue;
      asked.add(id);
      // A card that may not be seen leaves the row with its number.
      cards.get(id).then((card) => titles.set(id, cardTitle(card)), () => asked.delete(id));
    }
  }
  const of = (id: string | null) => (id ? (titles.get(id) ?? null) : null);
  return { want, of };
}

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { ApiError } from "../api/client";
import { cards } from "../api/routes";
import type { Card, Lead } from "../api/types";
import { generation, onFrame } from "../live/store";
import { explain } from "../ui/explain";

/** One card, read and kept current; `id` null shows none. */
export interface OpenCard {
  card: Readonly<Ref<Card | null>>;
  problem: Readonly<Ref<string | null>>;
  reload: () => Promise<void>;
  /** Sends a change upon the version shown; 412 reloads the card and raises with the words for the person. */
  change: (body: Record<string, unknown>) => Promise<void>;
  /** Runs something else that changes the card, then reads it again. */
  act: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What a person is told; EditableText and forms show `message`. */
export class Told extends Error {}

export function useCard(id: Readonly<Ref<string | null>>): OpenCard {
  const card = shallowRef<Card | null>(null);
  const problem = ref<string | null>(null);
  let turn = 0;

  /** An answer that overtook a newer one is thrown away. */
  function take(fresh: Card): void {
    if (fresh.id === id.value && (card.value?.id !== fresh.id || fresh.version >= card.value.version)) card.value = fresh;
  }

  async function reload(): Promise<void> {
    const wanted = id.value;
    const mine = ++turn;
    if (card.value?.id !== wanted) card.value = null;
    problem.value = null;
    if (!wanted) return;
    try {
      const fresh = await cards.get(wanted);
      // A card that was merged away answers with the one it became part of.
      if (mine === turn) card.value = fresh;
    } catch (error) {
      if (mine === turn) problem.value = explain(error);
    }
  }

  async function act<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      await reload();
      return result;
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await reload();
      throw error instanceof ApiError ? new Told(explain(error)) : error;
    }
  }

  async function change(body: Record<string, unknown>): Promise<void> {
    const shown = card.value;
    if (shown) await act(async () => take(await cards.change(shown, body)));
  }

  watch([id, generation], () => void reload(), { immediate: true });
  const deaf = onFrame((frame) => {
    if (frame.type === "card.updated") take(frame.data as Card);
    else if (frame.type === "card.merged") void reload();
    else if (frame.type === "lead.updated" && (frame.data as Lead).card_id === id.value) void reload();
  });
  onScopeDispose(deaf);
  return { card, problem, reload, change, act };
}

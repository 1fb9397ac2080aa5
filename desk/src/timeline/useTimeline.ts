import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { cards } from "../api/routes";
import type { Call, Task, TimelineEntry, TimelineKind } from "../api/types";
import { generation, onFrame } from "../live/store";
import { explain } from "../ui/explain";

export type Filter = "all" | "calls" | "notes" | "events";

const PAGE = 50;

const KIND_OF: Record<Filter, TimelineKind | null> = { all: null, calls: "call", notes: "note", events: "card_event" };

function passes(entry: TimelineEntry, filter: Filter): boolean {
  return KIND_OF[filter] === null || entry.kind === KIND_OF[filter];
}

/** Everything on a card, newest first, read backwards from the newest by `before`.
 *
 * What is new while somebody reads further down waits in `newer`, so that nothing moves under his eyes.
 */
export function useTimeline(cardId: Readonly<Ref<string | null>>, atTop: Readonly<Ref<boolean>>) {
  const filter = ref<Filter>("all");
  const all = shallowRef<TimelineEntry[]>([]);
  const newer = shallowRef<TimelineEntry[]>([]);
  const loading = ref(false);
  const problem = ref<string | null>(null);
  const complete = ref(false);
  let turn = 0;

  const entries = computed(() => all.value.filter((entry) => passes(entry, filter.value)));

  async function read(before: string | null): Promise<void> {
    const card = cardId.value;
    const mine = ++turn;
    if (!card) return;
    loading.value = true;
    problem.value = null;
    try {
      const page = await cards.timeline(card, { before, kind: KIND_OF[filter.value], limit: PAGE });
      if (mine !== turn) return;
      all.value = before ? merge(all.value, page.items) : page.items;
      if (!before) newer.value = [];
      complete.value = page.next_cursor === null;
    } catch (error) {
      if (mine === turn) problem.value = explain(error);
    } finally {
      if (mine === turn) loading.value = false;
    }
  }

  const restart = () => {
    all.value = [];
    newer.value = [];
    return read(null);
  };

  /** Reads what is new without touching what is read already; after a long gap begins again. */
  async function refresh(): Promise<void> {
    const card = cardId.value;
    if (!card || !all.value.length) return restart();
    try {
      const page = await cards.timeline(card, { kind: KIND_OF[filter.value], limit: PAGE });
      if (card !== cardId.value) return;
      const meets = page.items.findIndex((entry) => all.value.some((one) => one.id === entry.id));
      if (meets < 0) return void (await restart());
      for (const entry of page.items.toReversed()) arrive(entry);
    } catch (error) {
      problem.value = explain(error);
    }
  }

  async function older(): Promise<void> {
    const last = all.value[all.value.length - 1];
    if (loading.value || complete.value || !last) return;
    await read(last.id);
  }

  function showNewer(): void {
    all.value = merge(newer.value, all.value);
    newer.value = [];
  }

  function arrive(entry: TimelineEntry): void {
    const known = all.value.findIndex((one) => one.id === entry.id);
    if (known >= 0) all.value = all.value.with(known, entry);
    else if (atTop.value) all.value = merge([entry], all.value);
    else newer.value = merge([entry], newer.value);
  }

  const update = (call: Call) => replace((one) => one.call?.id === call.id, { call });
  const taskMoved = (task: Task) => replace((one) => one.task?.id === task.id, { task });

  /** An entry shows the thing itself as it stands now. */
  function replace(isIt: (entry: TimelineEntry) => boolean, values: Partial<TimelineEntry>): void {
    for (const list of [all, newer]) {
      const known = list.value.findIndex(isIt);
      const entry = list.value[known];
      if (entry) list.value = list.value.with(known, { ...entry, ...values });
    }
  }

  watch([cardId, filter], () => void restart(), { immediate: true });
  watch(generation, () => void refresh());
  onScopeDispose(
    onFrame((frame) => {
      if (frame.type.startsWith("call.")) return update((frame.data as { call: Call }).call);
      if (frame.type === "task.updated") return taskMoved(frame.data as Task);
      if (frame.type !== "timeline.added") return;
      const { card_id, entry } = frame.data as { card_id: string; entry: TimelineEntry };
      if (card_id === cardId.value) arrive(entry);
    }),
  );
  const waiting = computed(() => newer.value.filter((entry) => passes(entry, filter.value)).length);
  return { filter, entries, waiting, loading, problem, complete, refresh, older, showNewer };
}

/** Both in order, each entry once. */
function merge(first: TimelineEntry[], second: TimelineEntry[]): TimelineEntry[] {
  const known = new Set(first.map((entry) => entry.id));
  return [...first, ...second.filter((entry) => !known.has(entry.id))];
}

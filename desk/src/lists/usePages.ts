import { onScopeDispose, ref, shallowRef, watch, type WatchSource } from "vue";
import type { Page } from "../api/types";
import { generation, onFrame } from "../live/store";
import { explain } from "../ui/explain";


const SETTLE_MS = 400;
/** What one request brings where it does not ask for more (the contract's default). */
const PAGE = 50;

/** Both in order, each thing once. */
function join<T extends { id: string }>(first: T[], second: T[]): T[] {
  const known = new Set(first.map((item) => item.id));
  return [...first, ...second.filter((item) => !known.has(item.id))];
}

/** A list read page by page and kept current.
 *
 * `asked` names what the list depends on (filters); `changes` the events after which it is read again. While the
 * pointer or the focus is in the list its order is frozen, and `outdated` says that there is news.
 */
export function usePages<T extends { id: string }>(
  fetchPage: (cursor: string | null) => Promise<Page<T>>,
  asked: WatchSource,
  changes: (type: string) => boolean,
) {
  const items = shallowRef<T[]>([]);
  const loading = ref(true);
  const problem = ref<string | null>(null);
  const outdated = ref(false);
  const next = ref<string | null>(null);
  let held = false;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  async function read(cursor: string | null, place: (page: T[]) => T[]): Promise<void> {
    const mine = ++turn;
    loading.value = true;
    try {
      const page = await fetchPage(cursor);
      if (mine !== turn) return;
      items.value = place(page.items);
      next.value = page.next_cursor;
      problem.value = null;
      if (cursor === null) outdated.value = false;
    } catch (error) {
      if (mine === turn) problem.value = explain(error);
    } finally {
      if (mine === turn) loading.value = false;
    }
  }

  /** From the beginning: another question was asked. */
  function restart(): void {
    items.value = [];
    void read(null, (page) => page);
  }

  /** The newest page again, upon what was read further down. */
  async function refresh(): Promise<void> {
    const deeper = items.value.length > PAGE ? items.value : [];
    const following = next.value;
    await read(null, (page) => join(page, deeper));
    if (deeper.length) next.value = following;
  }

  function more(): void {
    if (loading.value || next.value === null) return;
    void read(next.value, (page) => join(items.value, page));
  }

  function hold(now: boolean): void {
    held = now;
    if (!held && outdated.value) void refresh();
  }

  function hear(type: string): void {
    if (!changes(type)) return;
    outdated.value = true;
    if (held || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      if (!held) void refresh();
    }, SETTLE_MS);
  }

  watch(asked, restart, { immediate: true });
  watch(generation, () => void refresh());
  const deaf = onFrame((frame) => hear(frame.type));
  onScopeDispose(() => {
    deaf();
    if (timer !== null) clearTimeout(timer);
  });

  return { items, loading, problem, outdated, refresh, more, hold };
}

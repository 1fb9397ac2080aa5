import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { threads } from "../api/routes";
import type { Message, MessageChanged, ThreadChanged } from "../api/types";
import { generation, onFrame } from "../live/store";
import { explain } from "../ui/explain";
import { whenSent } from "./outbox";
import { join, MOST_SHOWN } from "./order";

const PAGE = 50;

/** The messages of one thread: the newest page first, older ones read on demand, at most `MOST_SHOWN` at once. */
export function useMessages(thread: string, heard: (message: Message) => void) {
  const items = shallowRef<Message[]>([]);
  const loading = ref(true);
  const problem = ref<string | null>(null);
  /** Whether there is nothing older, and whether the newest is among `items`. */
  const complete = ref(false);
  const atEnd = ref(true);
  let turn = 0;

  async function read(query: { before?: string; after?: string }, place: (page: Message[], more: boolean) => void): Promise<void> {
    const mine = ++turn;
    loading.value = true;
    try {
      const page = await threads.messages(thread, { ...query, limit: PAGE });
      if (mine !== turn) return;
      place(page.items, page.next_cursor !== null);
      problem.value = null;
    } catch (error) {
      if (mine === turn) problem.value = explain(error);
    } finally {
      if (mine === turn) loading.value = false;
    }
  }

  const newest = () =>
    read({}, (page, more) => {
      // After a cut what was read before stays where it meets the newest page; what does not meet begins again.
      const meets = page.some((one) => items.value.some((known) => known.id === one.id));
      items.value = meets ? join(items.value, page) : page;
      if (!meets) complete.value = !more;
      atEnd.value = true;
    });

  async function older(): Promise<void> {
    const first = items.value[0];
    if (!first || loading.value || complete.value) return;
    await read({ before: first.id }, (page, more) => {
      const all = join(page, items.value);
      if (all.length > MOST_SHOWN) atEnd.value = false;
      items.value = all.slice(0, MOST_SHOWN);
      complete.value = !more;
    });
  }

  async function newer(): Promise<void> {
    const last = items.value[items.value.length - 1];
    if (!last || loading.value || atEnd.value) return;
    await read({ after: last.id }, (page, more) => {
      const all = join(items.value, page);
      if (all.length > MOST_SHOWN) complete.value = false;
      items.value = all.slice(-MOST_SHOWN);
      atEnd.value = !more;
    });
  }

  function take(message: Message): void {
    if (message.thread_id !== thread) return;
    const known = items.value.some((one) => one.id === message.id);
    if (!known && !atEnd.value) return;
    items.value = join(items.value, [message]);
    if (!known) heard(message);
  }

  function leave(id: string): void {
    items.value = items.value.filter((one) => one.id !== id);
  }

  void newest();
  watch(generation, () => void newest());
  whenSent(take);
  onScopeDispose(() => whenSent(() => undefined));
  onScopeDispose(
    onFrame((frame) => {
      if (frame.type.startsWith("message.")) take((frame.data as MessageChanged).message);
      else if (frame.type === "thread.updated") {
        const { message } = frame.data as ThreadChanged;
        if (message) take(message);
      }
    }),
  );
  const byId = computed(() => new Map(items.value.map((one) => [one.id, one])));
  return { items, byId, loading, problem, complete, atEnd, newest, older, newer, take, leave };
}

import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { threads } from "../api/routes";
import type { Thread, ThreadChanged } from "../api/types";
import { generation, onFrame } from "../live/store";
import { me } from "../entry/session";
import { explain } from "../ui/explain";

/** One thread, read and kept current. */
export interface OpenThread {
  thread: Readonly<Ref<Thread | null>>;
  problem: Readonly<Ref<string | null>>;
  reload: () => Promise<void>;
  take: (fresh: Thread) => void;
}

/** What an event says of a thread, with what is unread for me where it counts for somebody else. */
export function asMine(told: Thread, known: Thread | undefined, mine: string): Thread {
  if (!known || !told.assignee || told.assignee.id === mine) return told;
  return { ...told, unread: known.unread + Math.max(0, told.inbound - known.inbound) };
}

export function useThread(id: Readonly<Ref<string | null>>): OpenThread {
  const thread = shallowRef<Thread | null>(null);
  const problem = ref<string | null>(null);
  let turn = 0;

  function take(fresh: Thread): void {
    const known = thread.value?.id === fresh.id ? thread.value : undefined;
    if (fresh.id === id.value && (!known || fresh.version >= known.version)) thread.value = fresh;
  }

  async function reload(): Promise<void> {
    const wanted = id.value;
    const mine = ++turn;
    if (thread.value?.id !== wanted) thread.value = null;
    problem.value = null;
    if (!wanted) return;
    try {
      const fresh = await threads.get(wanted);
      if (mine === turn) thread.value = fresh;
    } catch (error) {
      if (mine === turn) problem.value = explain(error);
    }
  }

  watch([id, generation], () => void reload(), { immediate: true });
  onScopeDispose(
    onFrame((frame) => {
      if (!/^(message|thread)\./.test(frame.type) || frame.type === "thread.presence") return;
      const told = (frame.data as ThreadChanged).thread;
      take(asMine(told, thread.value ?? undefined, me.value?.id ?? ""));
    }),
  );
  return { thread, problem, reload, take };
}

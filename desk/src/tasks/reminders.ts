import { onScopeDispose, ref, watch } from "vue";
import { cards, tasks } from "../api/routes";
import type { Card, Task } from "../api/types";
import { me } from "../entry/session";
import { i18n } from "../i18n";
import { generation, onFrame } from "../live/store";

/** A task whose time came while this person was here; the card is there once it was read. */
export interface Reminder {
  task: Task;
  card: Card | null;
}

const MOST = 3;
const PAGE = 50;

/** Newest last. They stay until somebody acts on them. */
export const reminders = ref<Reminder[]>([]);
/** How many of one's own tasks are overdue: at most a page of them is counted. */
export const overdue = ref(0);

export const overdueText = (count: number): string => (count >= PAGE ? `${PAGE}+` : String(count));

export function forget(id: string): void {
  reminders.value = reminders.value.filter((one) => one.task.id !== id);
}

const isMine = (task: Task): boolean => task.assignee === null || task.assignee.id === me.value?.id;

async function remind(task: Task): Promise<void> {
  const reminder: Reminder = { task, card: null };
  reminders.value = [...reminders.value.filter((one) => one.task.id !== task.id), reminder].slice(-MOST);
  notify(task);
  // Without the card the reminder still says what is to be done.
  const card = await cards.get(task.card_id).catch(() => null);
  reminders.value = reminders.value.map((one) => (one.task.id === task.id ? { ...one, card } : one));
}

function notify(task: Task): void {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden) return;
  const notification = new Notification(i18n.global.t("tasks.due"), {
    body: [task.card_name, task.text].filter(Boolean).join(": "),
    tag: `task-${task.id}`,
  });
  notification.onclick = () => {
    window.focus();
    notification.close();
  };
}

async function count(): Promise<void> {
  const page = await tasks.list({ assignee: "me", due: "overdue", limit: PAGE }).catch(() => null);
  if (page) overdue.value = page.items.length;
}

/** Follows what becomes due for as long as the caller lives. */
export function followTasks(): void {
  watch(generation, () => void count(), { immediate: true });
  onScopeDispose(
    onFrame((frame) => {
      if (frame.type !== "task.due" && frame.type !== "task.updated") return;
      const task = frame.data as Task;
      if (frame.type === "task.due" && isMine(task)) void remind(task);
      if (frame.type === "task.updated" && (task.state !== "open" || !task.overdue)) forget(task.id);
      void count();
    }),
  );
  onScopeDispose(() => (reminders.value = []));
}

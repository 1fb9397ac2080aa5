import { ref } from "vue";
import { explain } from "./explain";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

export const toasts = ref<Toast[]>([]);

const SHOWN_MS = 6_000;
const MOST = 3;
let nextId = 1;

/** Tells something that needs no answer. With an action it stays long enough to be used. */
export function toast(text: string, options: { bad?: boolean; action?: Toast["action"] } = {}): void {
  const made: Toast = { id: nextId++, text, bad: options.bad ?? false, ...(options.action && { action: options.action }) };
  toasts.value = [...toasts.value, made].slice(-MOST);
  setTimeout(() => close(made.id), options.action || made.bad ? SHOWN_MS * 2 : SHOWN_MS);
}

export function close(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function toastError(error: unknown): void {
  toast(explain(error), { bad: true });
}

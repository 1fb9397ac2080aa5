import { reactive } from "vue";
import { ApiError } from "../api/client";
import { threads } from "../api/routes";
import type { Attachment, Message, NewMessage } from "../api/types";
import { me } from "../entry/session";
import { explain } from "../ui/explain";

/** A message on its way to the service, kept in this browser until the service has it. */
export interface Waiting {
  id: string;
  thread: string;
  at: string;
  text: string;
  files: Attachment[];
  reply_to: string | null;
  send_at: string | null;
  /** Why the service refused it; null while it is tried. */
  problem: string | null;
}

export const waiting = reactive<Waiting[]>([]);

const RETRY_MS = 5_000;
const key = () => `perezvon.outbox.${me.value?.id ?? ""}`;
let owner = "";
let busy = false;
let timer: ReturnType<typeof setTimeout> | null = null;

function load(): void {
  if (owner === key()) return;
  owner = key();
  const kept = JSON.parse(localStorage.getItem(owner) ?? "[]") as Waiting[];
  waiting.splice(0, waiting.length, ...kept);
}

function save(): void {
  if (waiting.length) localStorage.setItem(owner, JSON.stringify(waiting));
  else localStorage.removeItem(owner);
}

/** Shows it at once and sends it as soon as the service answers. */
export function enqueue(message: Waiting): void {
  load();
  waiting.push(message);
  save();
  void sendAll();
}

/** The service has it: what was shown in its place goes. */
export function settleSent(message: Message): void {
  if (message.client_id) remove(message.client_id);
}

export function remove(id: string): void {
  const at = waiting.findIndex((one) => one.id === id);
  if (at < 0) return;
  waiting.splice(at, 1);
  save();
}

export function tryAgain(id: string): void {
  const one = waiting.find((other) => other.id === id);
  if (one) one.problem = null;
  void sendAll();
}

/** Whether another try of the very same message may succeed by itself. */
export function isPassing(error: ApiError): boolean {
  return error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500;
}

async function sendOne(one: Waiting, sent: (message: Message) => void): Promise<boolean> {
  const body: NewMessage = { text: one.text, attachments: one.files.map((file) => file.id), client_id: one.id, reply_to: one.reply_to, send_at: one.send_at };
  try {
    sent(await threads.send(one.thread, body, one.id));
    remove(one.id);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (isPassing(error)) return false;
    one.problem = explain(error);
    save();
    return true;
  }
}

let tellSent: (message: Message) => void = () => undefined;

/** Whoever shows a thread takes in the service's answer at once. */
export function whenSent(handler: (message: Message) => void): void {
  tellSent = handler;
}

/** In order of writing; behind one that was refused the rest goes on. */
export async function sendAll(): Promise<void> {
  load();
  if (busy) return;
  busy = true;
  try {
    for (let one = next(); one; one = next()) {
      if (!(await sendOne(one, (message) => tellSent(message)))) return later();
    }
  } finally {
    busy = false;
  }
}

function next(): Waiting | undefined {
  return waiting.find((one) => one.problem === null);
}

function later(): void {
  timer ??= setTimeout(() => {
    timer = null;
    void sendAll();
  }, RETRY_MS);
}

import { reactive, ref } from "vue";
import type { CardOpened, Contact, Frame, Hello, Thread } from "../api/types";

/** A conversation offered to me; `by` names who took it instead, until that was read. */
export interface Offer {
  contact: Contact;
  thread: Thread | null;
  name: string;
  by: string | null;
}

export const offers = reactive<Offer[]>([]);
/** The thread that was just taken: whoever takes a conversation is about to answer it. */
export const taken = ref<string | null>(null);

function isMine(contact: Contact, me: string): boolean {
  return contact.thread_id !== null && contact.state === "offered" && contact.offered_to.includes(me);
}

function put(list: Offer[], contact: Contact, thread: Thread | null, name: string): void {
  const known = list.find((one) => one.contact.id === contact.id);
  if (!known) list.push({ contact, thread, name, by: null });
  else Object.assign(known, { contact, by: null, thread: thread ?? known.thread, name: name || known.name });
}

export function drop(list: Offer[], contactId: string): void {
  const at = list.findIndex((one) => one.contact.id === contactId);
  if (at >= 0) list.splice(at, 1);
}

function moved(list: Offer[], contact: Contact, me: string): void {
  if (isMine(contact, me)) return put(list, contact, null, "");
  const known = list.find((one) => one.contact.id === contact.id);
  if (!known) return;
  const other = contact.state === "assigned" && contact.operator && contact.operator.id !== me ? contact.operator.name : null;
  if (other) Object.assign(known, { contact, by: other });
  else drop(list, contact.id);
}

/** Keeps `list` to what is offered to `me`. `hello` is the whole state: what it does not name is over. */
export function takeFrame(list: Offer[], frame: Frame, me: string): void {
  const data = frame.data as Record<string, unknown>;
  if (frame.type === "hello") {
    const open = (frame.data as Hello).contacts.filter((contact) => isMine(contact, me));
    for (const one of [...list]) if (!open.some((contact) => contact.id === one.contact.id)) drop(list, one.contact.id);
    for (const contact of open) put(list, contact, null, "");
  } else if (frame.type === "card.opened") {
    const { contact, thread, card } = frame.data as CardOpened;
    if (contact && isMine(contact, me)) put(list, contact, thread, card?.name ?? "");
  } else if (frame.type.startsWith("contact.")) moved(list, data["contact"] as Contact, me);
  else if (data && typeof data === "object" && "thread" in data) {
    const thread = data["thread"] as Thread | null;
    const known = thread && list.find((one) => one.contact.thread_id === thread.id);
    if (known) known.thread = thread;
  }
}

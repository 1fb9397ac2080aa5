import { expect, it } from "vitest";
import type { Contact, Frame, Message, Template, Thread } from "../src/api/types";
import { takeFrame, type Offer } from "../src/inbox/offers";
import { firstUnread, join } from "../src/inbox/order";
import { matching } from "../src/inbox/templates";
import { asMine } from "../src/inbox/useThread";
import { fillTemplate, templateQuery } from "../src/inbox/words";

const message = (id: string, at: string, over: Partial<Message> = {}) => ({ id, at, seq: 1, direction: "in", ...over }) as Message;
const contact = (over: Partial<Contact> = {}) => ({ id: "c1", thread_id: "t1", state: "offered", offered_to: ["anna"], operator: null, ...over }) as Contact;
const frame = (type: string, data: unknown) => ({ type, seq: 1, data }) as Frame;

it("keeps messages in the order of the service, each once, as last told", () => {
  const first = [message("a", "2026-11-24T10:00:00.000Z"), message("c", "2026-11-24T10:02:00.000Z", { status: "queued" })];
  const second = [message("c", "2026-11-24T10:02:00.000Z", { status: "sent" }), message("b", "2026-11-24T10:01:00.000Z")];
  expect(join(first, second).map((one) => [one.id, one.status])).toEqual([["a", undefined], ["b", undefined], ["c", "sent"]]);
});

it("puts the divider before the oldest message that was not read", () => {
  const items = [message("a", "1"), message("b", "2", { direction: "out" }), message("c", "3"), message("d", "4")];
  expect(firstUnread(items, 2)).toBe("c");
  expect(firstUnread(items, 99)).toBe("a");
  expect(firstUnread(items, 0)).toBeNull();
});

it("shows an offer until it is over, and who took it", () => {
  const list: Offer[] = [];
  takeFrame(list, frame("card.opened", { contact: contact(), thread: null, card: { name: "Мария" } }), "anna");
  expect(list.map((one) => one.name)).toEqual(["Мария"]);
  takeFrame(list, frame("contact.assigned", { contact: contact({ state: "assigned", operator: { id: "oleg", name: "Олег" } }) }), "anna");
  expect(list[0]?.by).toBe("Олег");
  takeFrame(list, frame("hello", { contacts: [] }), "anna");
  expect(list).toEqual([]);
});

it("offers nothing that is offered to others", () => {
  const list: Offer[] = [];
  takeFrame(list, frame("card.opened", { contact: contact({ offered_to: ["oleg"] }), thread: null, card: null }), "anna");
  takeFrame(list, frame("hello", { contacts: [contact({ offered_to: ["oleg"] })] }), "anna");
  expect(list).toEqual([]);
});

it("counts as unread for me what came in a colleague's thread since I read it", () => {
  const known = { unread: 1, inbound: 4 } as Thread;
  const told = { unread: 9, inbound: 6, assignee: { id: "oleg", name: "Олег" } } as Thread;
  expect(asMine(told, known, "anna").unread).toBe(3);
  expect(asMine(told, known, "oleg").unread).toBe(9);
});

it("knows a slash that asks for a template from one in a text", () => {
  expect(templateQuery("/при", 4)).toBe("при");
  expect(templateQuery("Добрый день! /", 14)).toBe("");
  expect(templateQuery("и/или", 5)).toBeNull();
  expect(templateQuery("https://x", 9)).toBeNull();
});

it("fills what it knows into a template and leaves the rest to be seen", () => {
  const values = { "client.name": "Мария", "client.company": "", "operator.name": "Анна", queue: "", date: "", time: "" };
  expect(fillTemplate("{{client.name}}, это {{ operator.name }} из {{queue}}", values)).toBe("Мария, это Анна из {{queue}}");
});

it("finds templates of the channel by shortcut first, then by name", () => {
  const all = [
    { name: "Приветствие", shortcut: null, channels: [] },
    { name: "Адрес", shortcut: "при", channels: ["chat"] },
    { name: "Письмо при встрече", shortcut: null, channels: ["email"] },
  ] as unknown as Template[];
  expect(matching(all, "при", "chat").map((one) => one.name)).toEqual(["Адрес", "Приветствие"]);
});

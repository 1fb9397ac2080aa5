// A stand-in for the service while the desk is being drawn: `node dev/mock.mjs [port]`, then `npm run dev`.
// POST /mock/ring|unknown|answer|other|end|missed|drop plays the events; any login and password but "wrong" enters.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { calls, cards, makeCall, newId, operators, queues, timelineOf } from "./sample.mjs";
import { accept } from "./socket.mjs";

const port = Number(process.argv[2] ?? 8080);
const dist = new URL("../dist", import.meta.url).pathname;
const CSP = "default-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const me = operators[0];
const timelines = new Map();
const sockets = new Map();
let signedIn = process.argv.includes("--signed-in");
let current = null;

const whoAmI = () => ({ ...me, csrf_token: "token" });
const stamp = () => new Date().toISOString();

function send(type, data) {
  for (const one of sockets.values()) one.write(JSON.stringify({ type, seq: one.seq++, at: stamp(), data }));
}

function hello() {
  const { csrf_token: _, ...plain } = whoAmI();
  const live = current ? [current.call] : [];
  return { me: plain, contacts: current?.contact ? [current.contact] : [], calls: [...live, ...waiting], queues, operators };
}

const waiting = [
  makeCall(cards[8], { state: "queued", disposition: null, operator: null, answered_at: null, ended_at: null, queue: "Продажи", started_at: new Date(Date.now() - 42_000).toISOString() }),
  makeCall(cards[3], { state: "talking", disposition: null, ended_at: null, operator: { id: operators[1].id, name: operators[1].name, extension: "102" }, answered_at: new Date(Date.now() - 95_000).toISOString() }),
];

function ring(card, created = false) {
  const call = makeCall(card, { state: "ringing", disposition: null, operator: null, answered_at: null, ended_at: null, started_at: stamp(), ...(card ? {} : { from: { number: null, raw: "anonymous", name: null } }) });
  const contact = { id: newId(), channel: "voice", card_id: call.card_id, call_id: call.id, thread_id: null, queue: "support", priority: 0, skills: [], state: "offered", operator: null, offered_to: [me.id], queued_at: stamp(), offered_at: stamp(), assigned_at: null, closed_at: null, due_at: null, reason: null, outcome: null, version: 1 };
  current = { call, contact, card };
  send("call.started", { call });
  send("contact.offered", { contact });
  send("card.opened", { card, candidates: created ? [cards[1], cards[4]] : [], created, because: "call", call, thread: null, contact });
}

function move(type, over) {
  Object.assign(current.call, over);
  send(type, { call: current.call });
}

const plays = {
  ring: () => ring(cards[0]),
  unknown: () => ring({ ...cards[5], name: "" }, true),
  anonymous: () => ring(null),
  answer: () => move("call.answered", { state: "talking", answered_at: stamp(), operator: { id: me.id, name: me.name, extension: "101" } }),
  hold: () => move("call.held", { state: "held" }),
  other: () => move("call.answered", { state: "talking", answered_at: stamp(), operator: { id: operators[2].id, name: operators[2].name, extension: "103" } }),
  end: () => {
    move("call.ended", { state: "ended", ended_at: stamp(), disposition: "answered", talk_s: 12 });
    if (current.card) send("timeline.added", { card_id: current.card.id, entry: { id: newId(), card_id: current.card.id, at: stamp(), kind: "call", channel: "voice", direction: "in", summary: "", call: current.call } });
    current = null;
  },
  missed: () => {
    move("call.ended", { state: "ended", ended_at: stamp(), disposition: "abandoned" });
    current = null;
  },
  drop: () => sockets.forEach((_, socket) => socket.destroy()),
  gap: () => sockets.forEach((one) => one.seq++),
  out: () => (signedIn = false),
};

function page(items, url, limit = 50) {
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const size = Number(url.searchParams.get("limit") ?? limit);
  return { items: items.slice(from, from + size), next_cursor: from + size < items.length ? String(from + size) : null };
}

function matches(card, q) {
  const text = [card.name, card.company, ...card.identities.map((one) => one.value)].join(" ").toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function cardVerb(card, rest, method, body, url) {
  const touched = () => {
    card.version++;
    send("card.updated", card);
    return card;
  };
  if (rest === "timeline") {
    if (!timelines.has(card.id)) timelines.set(card.id, timelineOf(card));
    const all = timelines.get(card.id).filter((one) => !url.searchParams.get("kind") || one.kind === url.searchParams.get("kind"));
    const start = url.searchParams.get("before") ? all.findIndex((one) => one.id === url.searchParams.get("before")) + 1 : 0;
    return { items: all.slice(start, start + 50), next_cursor: start + 50 < all.length ? all[start + 49].id : null };
  }
  if (rest === "notes") {
    const entry = { id: newId(), card_id: card.id, at: stamp(), kind: "note", channel: null, direction: null, summary: "", note: { ...body, author: { id: me.id, name: me.name } } };
    timelines.get(card.id)?.unshift(entry);
    send("timeline.added", { card_id: card.id, entry });
    return entry;
  }
  if (rest === "identities") card.identities.push({ label: null, blocked: false, undeliverable: false, level: "known", ...body });
  else if (rest.startsWith("identities/")) {
    const value = decodeURIComponent(rest.split("/")[2]);
    if (method === "DELETE") card.identities = card.identities.filter((one) => one.value !== value);
    else Object.assign(card.identities.find((one) => one.value === value), body);
  } else if (rest === "leads") card.leads.unshift({ id: newId(), card_id: card.id, status: "new", reason: null, source: { connector: null, channel: null, did: null, campaign: null }, note: body.note, version: 1, created_at: stamp(), updated_at: stamp() });
  else if (method === "PATCH") Object.assign(card, body, "owner" in body ? { owner: operators.find((one) => one.id === body.owner) ?? null } : {});
  else return card;
  return touched();
}

function answer(method, url, body, headers) {
  const path = url.pathname.replace("/api/v1", "");
  if (path === "/session" && method === "POST") {
    if (body.password === "wrong") return [401, { title: "Unauthorized", status: 401 }];
    signedIn = true;
    return [200, whoAmI()];
  }
  if (!signedIn) return [401, { title: "Unauthorized", status: 401 }];
  if (path === "/session") return ((signedIn = false), [204]);
  if (path === "/me") return [200, whoAmI()];
  if (path === "/operators/me/presence") {
    me.presence = { ...body, since: stamp() };
    send("presence.changed", me);
    return [200, me];
  }
  const [, noun, id, ...rest] = path.split("/");
  if (noun === "operators" && rest[0] === "endpoint") {
    me.endpoints = [{ ...body, interface: null, kind: "phone" }];
    send("operator.updated", me);
    return [200, me];
  }
  if (noun === "cards" && id === "lookup") return [200, { items: cards.filter((one) => one.identities.some((two) => two.value === url.searchParams.get("value"))) }];
  if (noun === "cards" && id) {
    const card = cards.find((one) => one.id === id);
    if (!card) return [404, { title: "Not found", status: 404 }];
    if (headers["if-match"] && headers["if-match"] !== `"${card.version}"`) return [412, { title: "Precondition failed", status: 412 }];
    return [200, cardVerb(card, rest.join("/"), method, body, url)];
  }
  if (noun === "cards") return [200, page(cards.filter((card) => matches(card, url.searchParams.get("q") ?? "") && (!url.searchParams.get("kind") || card.kind === url.searchParams.get("kind"))), url)];
  if (noun === "leads" && id) {
    const lead = cards.flatMap((card) => card.leads).find((one) => one.id === id);
    Object.assign(lead, body, rest[0] === "convert" ? { status: "converted" } : rest[0] === "reject" ? { status: "rejected" } : {});
    return [200, lead];
  }
  if (noun === "leads") return [200, page(cards.flatMap((card) => card.leads).filter((one) => one.status === url.searchParams.get("status")), url)];
  if (noun === "calls" && id) return [200, calls.find((one) => one.id === id) ?? current?.call];
  if (noun === "calls") return [200, page(calls.filter((call) => (!url.searchParams.get("operator") || call.operator?.id === url.searchParams.get("operator")) && (!url.searchParams.get("direction") || call.direction === url.searchParams.get("direction"))), url)];
  const things = { operators, queues, teams: [{ id: newId(), version: 1, name: "main", members: 5 }], skills: [{ id: newId(), version: 1, name: "english" }], connectors: [{ id: newId(), name: "pbx1", kind: "asterisk", queue: null, state: "needs_administrator", detail: "Authentication failed", remedy: "Проверьте username и secret в [[connectors]] pbx1 и права в manager.conf", since: stamp(), owned_by_file: true }], audit: [{ id: newId(), at: stamp(), actor: { id: me.id, name: me.name }, by: me.name, address: "127.0.0.1", action: "card.merged", object_kind: "card", object_id: cards[0].id, team: "main", detail: { from: "Иван" } }] }[noun];
  return things ? [200, page(things, url)] : [404, { title: "Not found", status: 404 }];
}

function serveFile(url, response) {
  const path = join(dist, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
  if (!path.startsWith(dist) || !existsSync(path)) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": CSP });
  createReadStream(path).pipe(response);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://mock");
  const chunks = await request.toArray();
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
  if (url.pathname.startsWith("/mock/")) {
    plays[url.pathname.slice(6)]?.();
    return response.writeHead(204).end();
  }
  if (!url.pathname.startsWith("/api/")) return serveFile(url, response);
  const [status, result] = answer(request.method, url, body, request.headers);
  response.writeHead(status, { "Content-Type": "application/json" }).end(result === undefined ? undefined : JSON.stringify(result));
});

server.on("upgrade", (request, socket) => {
  if (!signedIn) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
  const one = { write: accept(request, socket), seq: 2 };
  sockets.set(socket, one);
  socket.on("close", () => sockets.delete(socket));
  one.write(JSON.stringify({ type: "hello", seq: 1, at: stamp(), data: hello() }));
});

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}`));

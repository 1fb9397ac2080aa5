// Invented people for the stand-in service.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
let counter = 0;
export const newId = () => `0193${(++counter).toString(16).padStart(4, "0")}-0000-7000-8000-${Math.random().toString(16).slice(2, 14).padEnd(12, "0")}`;
const pick = (list, n) => list[n % list.length];

const NAMES = ["Иван Петров", "Анна Смирнова", "ООО «Ромашка»", "Мария Ковалёва", "Олег Сидоренко", "Екатерина Ли", "Пётр Великанов", "Зоя О’Коннор", "Тимур Ахметов", "John Smith", "<b>Не жирный</b>", "Очень-Длинное Имя Которое Не Помещается Никуда"];

export const operators = ["Анна Орлова", "Борис Зимин", "Вера Ким", "Глеб Носов", "Дина Рау"].map((name, n) => ({
  id: newId(), version: 1, login: `op${n + 1}`, name, role: n === 0 ? "admin" : n === 1 ? "supervisor" : "operator", active: true, language: "ru",
  teams: ["main"], skills: n % 2 ? { english: 7 } : {}, capacity: { voice: 1 },
  endpoints: [{ pbx: "pbx1", extension: String(101 + n), interface: null, kind: "phone" }],
  presence: { state: pick(["available", "available", "paused", "offline", "draining"], n), reason: n === 2 ? "lunch" : null, since: ago(7 * n + 3) },
  created_at: ago(9999), updated_at: ago(99),
}));

export const queues = ["support", "Продажи", "vip"].map((name, n) => ({
  id: newId(), version: 1, name, team: "main", channels: ["voice"], distribution: "asterisk", skills: [], service_level: {}, hours: "", timezone: null,
  pbx_queues: [`pbx1/${400 + n}`], owned_by_file: n === 0, waiting: n === 1 ? 2 : 0, longest_since: n === 1 ? ago(1) : null, longest_wait_s: n === 1 ? 42 : null,
  operators: { available: 2 - (n % 2), paused: 1 }, today: { contacts: 12, answered: 10, abandoned: 2, wait_s: 14 }, created_at: ago(9999), updated_at: ago(9),
}));

function lead(card, n) {
  return { id: newId(), card_id: card, status: pick(["new", "in_work", "converted", "rejected"], n), reason: n % 4 === 3 ? "дорого" : null, source: { connector: "pbx1", channel: "voice", did: "+74951234567", campaign: n % 3 ? null : "осень" }, note: n % 2 ? "Просит смету на двадцать рабочих мест" : "", version: 1, created_at: ago(60 * n), updated_at: ago(n) };
}

export const cards = Array.from({ length: 180 }, (_, n) => {
  const id = newId();
  return {
    id, version: 1, kind: n % 3 ? "client" : "lead", type: n % 12 === 2 ? "company" : "person", name: n === 5 ? "" : n < NAMES.length ? NAMES[n] : `${pick(NAMES, n)} ${n}`, company: n % 4 === 0 ? "ООО «Вектор»" : null, language: "ru", priority: 0,
    leads: n % 2 === 0 ? [lead(id, n), ...(n === 0 ? [lead(id, 1)] : [])] : [],
    identities: [
      { kind: "phone", value: `+7999${String(1234500 + n)}`, label: n % 5 ? null : "личный", level: "known", blocked: n === 7, undeliverable: false },
      ...(n % 3 === 0 ? [{ kind: "email", value: `client${n}@example.org`, label: null, level: "known", blocked: false, undeliverable: false }] : []),
      ...(n === 0 ? [{ kind: "phone", value: "+74957770001", label: "приёмная", level: "maybe", blocked: false, undeliverable: false }] : []),
    ],
    owner: n % 2 ? { id: operators[n % 5].id, name: operators[n % 5].name } : null, team: "main", tags: n % 3 ? [] : ["опт", "постоянный"],
    note: n === 0 ? "Звонит по утрам. Просит говорить громче." : "", fields: n === 0 ? { "Договор": "№ 17/24", "Скидка": "5 %" } : {}, external: n === 0 ? [{ crm: "bitrix24", id: "4711", url: "https://example.org/crm/4711" }] : [],
    created_at: ago(60 * 24 * 40), updated_at: ago(60), last_contact_at: ago(37 * n + 5),
  };
});

export function makeCall(card, over = {}) {
  const phone = card?.identities[0]?.value ?? null;
  return {
    id: newId(), pbx: "pbx1", linkedid: `${Date.now()}.1`, direction: "in", state: "ended", disposition: "answered",
    from: { number: phone, raw: phone, name: null }, to: { number: null, raw: "400", name: null }, did: "+74951234567", queue: "support", card_id: card?.id ?? null,
    operator: { id: operators[0].id, name: operators[0].name, extension: "101" }, rang: ["101"], started_at: ago(30), answered_at: ago(29.9), ended_at: ago(28),
    hangup_by: "caller", hangup_cause: 16, wait_s: 6, talk_s: 108, hold_s: 0, segments: [], transfers: [], recordings: [], estimated: [], note: null, version: 1, ...over,
  };
}

const DISPOSITIONS = ["answered", "answered", "abandoned", "answered", "no_answer", "busy"];
export const calls = Array.from({ length: 140 }, (_, n) => {
  const disposition = pick(DISPOSITIONS, n);
  const answered = disposition === "answered";
  return makeCall(n % 9 === 4 ? null : cards[n % 20], {
    disposition, direction: pick(["in", "in", "out", "in", "internal"], n), started_at: ago(23 * n + 4), answered_at: answered ? ago(23 * n + 3.8) : null, ended_at: ago(23 * n + 1),
    operator: answered ? { id: operators[n % 5].id, name: operators[n % 5].name, extension: String(101 + (n % 5)) } : null, talk_s: answered ? 30 + n * 7 : 0, wait_s: 3 + n,
  });
});

export function timelineOf(card) {
  const kinds = ["note", "meeting", "wish", "complaint"];
  return Array.from({ length: 240 }, (_, n) => {
    const at = ago(n * n * 1.7 + 5 * n + 2);
    const base = { id: newId(), card_id: card.id, at, channel: null, direction: null, summary: "" };
    if (n % 5 === 3) return { ...base, kind: "note", note: { kind: pick(kinds, n), text: n % 2 ? "Перезвонить после обеда, спросить про счёт." : "Длинная заметка.\nКлиент долго рассказывал о поставке, просил прислать договор и счёт на почту, сомневается в сроках.", author: { id: operators[1].id, name: operators[1].name } } };
    if (n % 5 === 4) return { ...base, kind: "card_event", summary: "created", card_event: { type: pick(["lead_opened", "owner_changed", "lead_converted"], n), by: { id: operators[0].id, name: operators[0].name }, detail: {} } };
    const answered = n % 3 !== 1;
    return { ...base, kind: "call", channel: "voice", direction: n % 4 === 2 ? "out" : "in", call: makeCall(card, { direction: n % 4 === 2 ? "out" : "in", started_at: at, disposition: answered ? "answered" : "abandoned", operator: answered ? { id: operators[n % 5].id, name: operators[n % 5].name, extension: "101" } : null, talk_s: answered ? 61 + n : 0, wait_s: 4 + (n % 40) }) };
  });
}

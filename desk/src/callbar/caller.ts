import type { BarItem } from "../live/state";
import { clientOf } from "../live/store";
import { formatPhone } from "../format/phone";
import { i18n } from "../i18n";

export interface Caller {
  /** The card's name, else what the PBX sent, else «Неизвестный номер». */
  name: string;
  number: string;
  known: boolean;
}

/** Who is at the other end, as text. */
export function callerOf(item: Pick<BarItem, "card" | "call">): Caller {
  const { t } = i18n.global;
  const party = clientOf(item.call);
  const number = formatPhone(party.number) || party.raw || "";
  const cardName = item.card?.name && item.card.name !== party.number ? item.card.name : "";
  const name = cardName || party.name || "";
  return {
    name: name || t(number ? "callbar.unknown" : "callbar.anonymous"),
    number,
    known: name !== "",
  };
}

/** Leads of the card that wait for an end. */
export function openLeads(item: Pick<BarItem, "card">): number {
  return item.card?.leads.filter((lead) => lead.status === "new" || lead.status === "in_work").length ?? 0;
}

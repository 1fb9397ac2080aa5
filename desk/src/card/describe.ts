import type { Card, Identity } from "../api/types";
import { formatPhone } from "../format/phone";
import { i18n } from "../i18n";

/** What stands for a card in lists: its name, else its first number or address. */
export function cardTitle(card: Pick<Card, "name" | "identities">): string {
  if (card.name) return formatPhone(card.name);
  const first = card.identities[0];
  return first ? identityText(first) : i18n.global.t("card.unnamed");
}

export function identityText(identity: Pick<Identity, "kind" | "value">): string {
  return identity.kind === "phone" ? formatPhone(identity.value) : identity.value;
}

/** Number and company, the second line of a row. */
export function cardSummary(card: Card): string {
  const phone = card.identities.find((identity) => identity.kind === "phone") ?? card.identities[0];
  const address = phone && card.name && identityText(phone) !== cardTitle(card) ? identityText(phone) : "";
  return [address, card.company].filter(Boolean).join(" · ");
}

const KINDS = ["phone", "email", "telegram", "whatsapp", "webchat", "vk", "max"] as const;
export type IdentityKind = (typeof KINDS)[number];
export const IDENTITY_KINDS: readonly IdentityKind[] = KINDS;

/** The kind of an identity in words; one this desk does not know is shown as it is. */
export function kindName(kind: string): string {
  const known = KINDS.find((one) => one === kind);
  return known ? i18n.global.t(`card.${known}`) : kind;
}

/** Whether the service can search for this: a letter, or three digits of a number. */
export function isSearchable(text: string): boolean {
  return /\p{L}{2}/u.test(text) || (text.match(/\d/g)?.length ?? 0) >= 3;
}

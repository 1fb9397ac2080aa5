import type { Message } from "../api/types";
import { i18n } from "../i18n";

const MARKS: Record<Message["status"], string> = { received: "", queued: "⏱", sending: "⏱", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "⚠", unknown: "?" };

/** A sign for how far a message got; words stand beside it for who cannot tell signs. */
export function statusMark(message: Message): string {
  return MARKS[message.status];
}

/** One line of a message that another answers. */
export function quoteOf(message: Message): string {
  const { t } = i18n.global;
  if (message.deleted_at) return t("inbox.deleted");
  return message.text || message.attachments.map((file) => file.name).join(", ") || t(`inbox.kind.${message.kind}`);
}

/** `12 KB`, `3.4 MB` in words of the language. */
export function sizeWords(bytes: number | null, language: string): string {
  if (bytes === null) return "";
  const mega = bytes >= 1_000_000;
  const unit = mega ? "megabyte" : "kilobyte";
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: mega ? 1 : 0 }).format(bytes / (mega ? 1e6 : 1e3));
}

/** What may stand in double braces of a template. */
export type Values = Record<"client.name" | "client.company" | "operator.name" | "queue" | "date" | "time", string>;

/** The text of a template with everything known put in; what is unknown stays visible in its braces. */
export function fillTemplate(text: string, values: Values): string {
  return text.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (whole, name: string) => values[name as keyof Values] || whole);
}

/** The word after a slash before the caret where a template may be meant, or null. */
export function templateQuery(text: string, caret: number): string | null {
  return /(?:^|\s)\/([\p{L}\p{N}_.-]*)$/u.exec(text.slice(0, caret))?.[1] ?? null;
}

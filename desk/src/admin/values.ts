import type { Field } from "./sections";

/** What a field holds while it is edited. */
export type Value = string | boolean | string[];

/** From the thing to the form. */
export function toForm(field: Field, value: unknown): Value {
  switch (field.kind) {
    case "flag":
      return value === true;
    case "channels":
      return Array.isArray(value) ? value.map(String) : ["voice"];
    case "list":
      return Array.isArray(value) ? value.join(", ") : "";
    case "levels":
      return Object.entries((value as Record<string, number> | undefined) ?? {}).map(([word, level]) => `${word} ${level}`).join(", ");
    default:
      return typeof value === "string" ? value : "";
  }
}

function words(text: Value): string[] {
  return String(text).split(",").map((word) => word.trim()).filter(Boolean);
}

/** From the form to the request; undefined leaves the field out. */
export function fromForm(field: Field, value: Value): unknown {
  switch (field.kind) {
    case "list":
      return words(value);
    case "levels":
      return Object.fromEntries(words(value).map(levelOf));
    case "password":
      return value || undefined;
    case "text":
    case "choice":
      return String(value).trim() || undefined;
    default:
      return value;
  }
}

/** `Английский 5`; without a number the level is 5. */
function levelOf(word: string): [string, number] {
  const parts = /^(.*\S)\s+(\d+)$/.exec(word);
  return parts ? [parts[1] as string, Number(parts[2])] : [word, 5];
}

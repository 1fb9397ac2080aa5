import { createI18n } from "vue-i18n";
import { en } from "./en";
import { russianForm } from "./plural";
import { ru } from "./ru";

export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "perezvon.language";

/** Chosen here before, else what the browser prefers, else Russian. */
export function preferredLanguage(): Language {
  const stored = localStorage.getItem(KEY);
  const wished = [stored, ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return LANGUAGES.find((language) => language === wished.find((tag) => LANGUAGES.includes(tag as Language))) ?? "ru";
}

export const i18n = createI18n({
  legacy: false,
  locale: "ru",
  fallbackLocale: "en",
  messages: { ru, en } as Record<string, typeof ru>,
  pluralRules: { ru: russianForm },
});

export function setLanguage(language: Language, remember = true): void {
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
  if (remember) localStorage.setItem(KEY, language);
}

export function currentLanguage(): Language {
  return i18n.global.locale.value as Language;
}

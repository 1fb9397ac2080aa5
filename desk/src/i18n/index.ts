import { createI18n } from "vue-i18n";
import { russianForm } from "./plural";
import type { Messages } from "./ru";

export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEY = "perezvon.language";

const LOADERS: Record<Language, () => Promise<Messages>> = {
  ru: () => import("./ru").then((module) => module.ru),
  en: () => import("./en").then((module) => module.en),
};

/** The language somebody chose in this browser, or null. */
export function chosenLanguage(): Language | null {
  return LANGUAGES.find((language) => language === localStorage.getItem(KEY)) ?? null;
}

/** Chosen here before, else what the browser prefers, else Russian. */
export function preferredLanguage(): Language {
  const wished = navigator.languages.map((tag) => LANGUAGES.find((language) => tag.startsWith(language)));
  return chosenLanguage() ?? wished.find((language) => language !== undefined) ?? "ru";
}

export const i18n = createI18n({
  legacy: false,
  locale: "ru",
  messages: {} as Record<string, Messages>,
  pluralRules: { ru: russianForm },
});

/** Shows the desk in `language`, whose words are fetched first; `remember` makes it this browser's choice. */
export async function setLanguage(language: Language, remember = true): Promise<void> {
  if (!i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, await LOADERS[language]());
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
  if (remember) localStorage.setItem(KEY, language);
}

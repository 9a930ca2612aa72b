/**
 * Texts in English and Chinese. A component says `const { t } = useText()` and `t("home.title")`;
 * keys are checked by the compiler, completeness by the compiler and a test. Only the language in use is loaded.
 */
import i18next from "i18next";
import { useMemo } from "react";
import { initReactI18next, useTranslation } from "react-i18next";

import type { TextKey } from "./catalog.ts";

export type { TextKey } from "./catalog.ts";

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

/** Each called by its own name. */
export const languageNames: Readonly<Record<Language, string>> = { en: "English", "zh-CN": "中文" };

export type Values = Readonly<Record<string, string | number>>;
export type Translate = (key: TextKey, values?: Values) => string;

const storageKey = "millrace.language";
const loaders = {
  en: async () => (await import("./en/index.ts")).en,
  "zh-CN": async () => (await import("./zh-CN/index.ts")).zhCN,
} as const;

/** Before the first page is drawn. */
export async function startTexts(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: chosenLanguage(),
    fallbackLng: false,
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { useSuspense: false },
    resources: {},
  });
  await setLanguage(chosenLanguage());
}

export async function setLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation")) {
    i18next.addResourceBundle(language, "translation", await loaders[language]());
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** As `setLanguage`, and for the next visit too. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(storageKey, language);
  await setLanguage(language);
}

export function useText(): { readonly t: Translate; readonly language: Language } {
  const { t, i18n } = useTranslation();
  const language = languageOf(i18n.language);
  return useMemo(() => ({ t: (key, values) => t(key, values ?? {}), language }), [t, language]);
}

/** For codes that a newer server may send: the text if there is one. */
export function textIfThere(key: string, values: Values = {}): string | undefined {
  return i18next.exists(key) ? i18next.t(key, values) : undefined;
}

function chosenLanguage(): Language {
  return languageOf(localStorage.getItem(storageKey) ?? navigator.language);
}

function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

/**
 * Texts in English and Chinese. A component says `const { t } = useText()` and `t("home.title")`;
 * keys are checked by the compiler, completeness by the compiler and a test. Of the language in use
 * the frame's texts are loaded first, an area's with the first page that needs them.
 */
import { areasOf, loaders } from "virtual:texts";
import i18next from "i18next";
import { useMemo } from "react";
import { initReactI18next, useTranslation } from "react-i18next";

import type { TextKey } from "./catalog.ts";
import { sayer, type Say } from "./said.ts";

export type { TextKey } from "./catalog.ts";

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

/** Each called by its own name. */
export const languageNames: Readonly<Record<Language, string>> = { en: "English", "zh-CN": "中文" };

export type Values = Readonly<Record<string, string | number>>;
export type Translate = (key: TextKey, values?: Values) => string;

const storageKey = "millrace.language";
const namespace = "translation";
/** Areas of the pages that were shown; another language has them too before it is used. */
const needed = new Set<string>();

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
  await Promise.all([
    load(language, "frame", loaders[language].frame),
    ...[...needed].map((area) => loadArea(language, area)),
    loadSaid(language),
  ]);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Before the page of the table is shown: `path` as it stands there. */
export async function loadTextsOf(path: string): Promise<void> {
  const areas = areasOf[path] ?? [];
  for (const area of areas) needed.add(area);
  const language = languageOf(i18next.language);
  await Promise.all(areas.map((area) => loadArea(language, area)));
  // Somebody chose the other one meanwhile.
  if (languageOf(i18next.language) !== language) await loadTextsOf(path);
}

async function loadArea(language: Language, area: string): Promise<void> {
  const read = loaders[language].areas[area];
  if (read !== undefined) await load(language, area, async () => ({ [area]: await read() }));
}

let sayChinese: Say | undefined;

async function loadSaid(language: Language): Promise<void> {
  if (language === "en") return;
  sayChinese ??= sayer((await import("./zh-CN/said/index.ts")).said);
}

const loaded = new Set<string>();

async function load(language: Language, part: string, read: () => Promise<object>): Promise<void> {
  const name = `${language}/${part}`;
  if (loaded.has(name)) return;
  i18next.addResourceBundle(language, namespace, await read(), true, true);
  loaded.add(name);
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

/** A sentence of the server, which it says in English: as we say it, or as it stands. */
export function told(sentence: string): string {
  const isEnglish = languageOf(i18next.language ?? "en") === "en";
  return (isEnglish ? undefined : sayChinese?.(sentence)) ?? sentence;
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

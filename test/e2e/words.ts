/** The texts of the console, for journeys that go the same way in every language. */
import { createInstance, type TFunction } from "i18next";

import { en } from "#console/i18n/en/index.ts";
import { zhCN } from "#console/i18n/zh-CN/index.ts";

import type { Language } from "./browser.ts";

/** As the page says it: `t("lease.consoleOpen")`. */
export async function wordsOf(language: Language): Promise<TFunction> {
  const texts = createInstance();
  return texts.init({
    lng: language,
    fallbackLng: false,
    interpolation: { escapeValue: false },
    returnNull: false,
    resources: { en: { translation: en }, "zh-CN": { translation: zhCN } },
  });
}

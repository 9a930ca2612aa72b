/** Language and colors: of this browser, not of the account. */
import type { ReactNode } from "react";

import { chooseLanguage, languageNames, languages, useText } from "#console/i18n/index.ts";
import { IconButton } from "#console/ui/button.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { useColorScheme } from "#console/ui/provider.tsx";

export function LanguageMenu(): ReactNode {
  const { t, language } = useText();
  return (
    <Menu
      width={160}
      trigger={<IconButton icon="language" label={t("shell.language")} />}
      entries={languages.map((each) => ({
        kind: "action",
        label: languageNames[each],
        isCurrent: each === language,
        run: () => void chooseLanguage(each),
      }))}
    />
  );
}

const schemes = ["light", "dark", "auto"] as const;

export function ThemeMenu(): ReactNode {
  const { t } = useText();
  const { scheme, setScheme } = useColorScheme();
  return (
    <Menu
      width={180}
      trigger={<IconButton icon={scheme === "dark" ? "moon" : "sun"} label={t("shell.theme")} />}
      entries={schemes.map((each) => ({
        kind: "action",
        label: t(`shell.themeOf.${each}`),
        isCurrent: each === scheme,
        run: () => setScheme(each),
      }))}
    />
  );
}

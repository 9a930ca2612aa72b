/** The navigation on a narrow screen, with what the header has no room for. */
import type { ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Drawer } from "#console/ui/dialog.tsx";

import { Navigation } from "./navigation.tsx";
import { LanguageMenu, ThemeMenu } from "./preferences.tsx";
import { ProjectMenu } from "./project.tsx";

export function NavDrawer({
  isOpen,
  onClose,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  return (
    <Drawer
      isOpen={isOpen}
      onClose={onClose}
      title={t("shell.navigation")}
      closeLabel={t("common.close")}
      side="left"
      size="sm"
    >
      <div className="header-group">
        <ProjectMenu />
        <LanguageMenu />
        <ThemeMenu />
      </div>
      <nav aria-label={t("shell.navigation")}>
        <Navigation />
      </nav>
    </Drawer>
  );
}

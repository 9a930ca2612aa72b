/** Around every page: header, navigation, banners, and the one place where the page goes. */
import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Drawer } from "#console/ui/overlay.tsx";

import { Banners } from "./banners.tsx";
import { Header } from "./header.tsx";
import { Navigation } from "./navigation.tsx";
import { Palette } from "./palette.tsx";
import { LanguageMenu, ThemeMenu } from "./preferences.tsx";
import { ProjectMenu } from "./project.tsx";
import { SessionGate } from "./session.tsx";

export function Frame(): ReactNode {
  return (
    <SessionGate>
      <Inside />
    </SessionGate>
  );
}

function Inside(): ReactNode {
  const { t } = useText();
  const [navOpen, setNavOpen] = useState(false);
  const [paletteOpen, setPaletteOpen] = useState(false);
  const { pathname } = useLocation();
  useEffect(() => setNavOpen(false), [pathname]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <div className="frame">
      <a href="#page" className="skip-link">
        {t("shell.skip")}
      </a>
      <Header onOpenNav={() => setNavOpen(true)} onOpenPalette={() => setPaletteOpen(true)} />
      <nav className="frame-nav" aria-label={t("shell.navigation")}>
        <div>
          <Navigation />
        </div>
      </nav>
      <div className="frame-page">
        <Banners />
        <main id="page" className="frame-main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Drawer
        isOpen={navOpen}
        onClose={() => setNavOpen(false)}
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
      <Palette isOpen={paletteOpen} onClose={() => setPaletteOpen(false)} />
    </div>
  );
}

/** Around every page: header, navigation, banners, and the one place where the page goes. */
import { Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Drawer } from "#console/ui/overlay.tsx";

import { Banners } from "./banners.tsx";
import { Header } from "./header.tsx";
import { Navigation } from "./navigation.tsx";
import { LanguageMenu, ThemeMenu } from "./preferences.tsx";
import { ProjectMenu } from "./project.tsx";
import { SessionGate } from "./session.tsx";
import type { Palette } from "./palette.tsx";

/** With its fields it is no part of the first load; it comes when the page has time. */
const loadPalette = async (): Promise<{ readonly default: typeof Palette }> => ({
  default: (await import("./palette.tsx")).Palette,
});
const LazyPalette = lazy(loadPalette);
const paletteAfterMs = 3000;

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
    // Whether it could be loaded shows when it is asked for.
    const timer = setTimeout(() => void loadPalette().catch(() => undefined), paletteAfterMs);
    return () => clearTimeout(timer);
  }, []);
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
      {paletteOpen ? (
        <Suspense>
          <LazyPalette isOpen onClose={() => setPaletteOpen(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}

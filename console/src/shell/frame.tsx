/** Around every page: header, navigation, banners, and the one place where the page goes. */
import { Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useLayoutEffect, useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";

import { Banners } from "./banners.tsx";
import { Header } from "./header.tsx";
import { Navigation } from "./navigation.tsx";
import { SessionGate } from "./session.tsx";
import type { NavDrawer } from "./nav-drawer.tsx";
import type { Palette } from "./palette.tsx";

/** With their fields and dialogs they are no part of the first load; they come when the page has time. */
const loadPalette = async (): Promise<{ readonly default: typeof Palette }> => ({
  default: (await import("./palette.tsx")).Palette,
});
const loadNavDrawer = async (): Promise<{ readonly default: typeof NavDrawer }> => ({
  default: (await import("./nav-drawer.tsx")).NavDrawer,
});
const LazyPalette = lazy(loadPalette);
const LazyNavDrawer = lazy(loadNavDrawer);
const laterMs = 3000;

export function Frame(): ReactNode {
  return (
    <SessionGate>
      <Inside />
    </SessionGate>
  );
}

function Inside(): ReactNode {
  const { t } = useText();
  // Once opened it stays, so that it can slide away.
  const [nav, setNav] = useState<"unopened" | "open" | "closed">("unopened");
  const [paletteOpen, setPaletteOpen] = useState(false);
  const { pathname } = useLocation();
  useEffect(() => setNav((before) => (before === "open" ? "closed" : before)), [pathname]);
  useEffect(() => {
    // Whether they could be loaded shows when they are asked for.
    const timer = setTimeout(() => {
      void Promise.allSettled([loadPalette(), loadNavDrawer()]);
    }, laterMs);
    return () => clearTimeout(timer);
  }, []);
  // Not after the page was painted: who sees it may press the key.
  useLayoutEffect(() => {
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
      <Header onOpenNav={() => setNav("open")} onOpenPalette={() => setPaletteOpen(true)} />
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
      {nav === "unopened" ? null : (
        <Suspense>
          <LazyNavDrawer isOpen={nav === "open"} onClose={() => setNav("closed")} />
        </Suspense>
      )}
      {paletteOpen ? (
        <Suspense>
          <LazyPalette isOpen onClose={() => setPaletteOpen(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}

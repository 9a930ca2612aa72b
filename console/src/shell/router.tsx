/** From the table of pages to routes. Search parameters are plain strings; who reads one checks it. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  retainSearchParams,
  type AnyRouter,
} from "@tanstack/react-router";
import type { ReactNode } from "react";

import { pages, type Page } from "#console/routes.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { useText } from "#console/i18n/index.ts";

import { Frame } from "./frame.tsx";
import { FailedPage, ForbiddenPage, NotFoundPage } from "./fallback-pages.tsx";
import { useMay } from "#console/api/session.ts";

type Search = Record<string, string>;
type Preload = () => Promise<void> | undefined;

export function makeRouter(): AnyRouter {
  const root = createRootRoute({
    component: Outlet,
    errorComponent: ({ error }) => <FailedPage error={error} />,
    validateSearch: (search: Record<string, unknown>): Search => onlyStrings(search),
    // The chosen project goes along from page to page.
    search: { middlewares: [retainSearchParams(["project"])] },
  });
  const signIn = createRoute({
    getParentRoute: () => root,
    path: "/sign-in",
    component: lazyRouteComponent(() => import("./sign-in-page.tsx"), "SignInPage"),
  });
  const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Frame });
  const inside = pages.map((page) =>
    createRoute({
      getParentRoute: () => frame,
      path: page.path,
      component: guarded(page),
      pendingComponent: Pending,
      errorComponent: ({ error }) => <FailedPage error={error} />,
    }),
  );
  const missing = createRoute({
    getParentRoute: () => frame,
    path: "$",
    component: NotFoundPage,
  });
  return createRouter({
    routeTree: root.addChildren([signIn, frame.addChildren([...inside, missing])]),
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch,
    defaultNotFoundComponent: NotFoundPage,
    defaultPendingMs: 150,
    scrollRestoration: true,
  });
}

/** The permission first: a page that one may not see is not even loaded. */
function guarded(page: Page): (() => ReactNode) & { readonly preload: Preload } {
  const Lazy = lazyRouteComponent(async () => ({ Page: await page.load() }), "Page");
  function Guarded(): ReactNode {
    return useMay()(page.permission) ? <Lazy /> : <ForbiddenPage permission={page.permission} />;
  }
  // The router loads it when a link to it is pointed at.
  return Object.assign(Guarded, { preload: () => Lazy.preload?.() });
}

function Pending(): ReactNode {
  const { t } = useText();
  return <Skeleton lines={6} label={t("common.loading")} />;
}

function onlyStrings(search: Record<string, unknown>): Search {
  const kept: Search = {};
  for (const [name, value] of Object.entries(search))
    if (typeof value === "string") kept[name] = value;
  return kept;
}

function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams(
    Object.entries(onlyStrings(search)).filter(([, value]) => value !== ""),
  );
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

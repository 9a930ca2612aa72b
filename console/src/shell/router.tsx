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
import { loadTextsOf, useText } from "#console/i18n/index.ts";

import { Frame } from "./frame.tsx";
import { FailedPage, ForbiddenPage, NotFoundPage } from "./fallback-pages.tsx";
import { ApiProblem } from "#console/api/problem.ts";
import { probe, reportSilence } from "#console/api/reach.ts";
import { useMay } from "#console/api/session.ts";

type Search = Record<string, string>;
const reloadedKey = "millrace.reloaded";

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
      loader: () => loadPage(page),
      staleTime: Infinity,
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

const loaded = new Map<string, () => ReactNode>();

/**
 * A part of the console that cannot be loaded: the server is away, then the page waits for it; or
 * it is a newer one that has other parts, then the page is loaded anew, once.
 */
async function loadPage(page: Page): Promise<null> {
  try {
    const [Loaded] = await Promise.all([page.load(), loadTextsOf(page.path)]);
    loaded.set(page.path, Loaded);
    sessionStorage.removeItem(reloadedKey);
  } catch (cause) {
    if (!(await probe())) {
      reportSilence();
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ApiProblem({ status: 0, code: "unreachable", message, cause });
    }
    if (sessionStorage.getItem(reloadedKey) === page.path) throw cause;
    sessionStorage.setItem(reloadedKey, page.path);
    location.reload();
  }
  return null;
}

function guarded(page: Page): () => ReactNode {
  return function Guarded(): ReactNode {
    const Loaded = loaded.get(page.path);
    if (!useMay()(page.permission)) return <ForbiddenPage permission={page.permission} />;
    return Loaded === undefined ? <Pending /> : <Loaded />;
  };
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

/**
 * THE table of pages. From it come the routes, the navigation, the command palette and the check
 * that a role may see a page. A page is loaded when it is gone to. To add one: README.md.
 */
import type { ReactNode } from "react";
import type { Permission } from "#contract/operation.ts";

import type { TextKey } from "#console/i18n/index.ts";
import type { IconName } from "#console/ui/icons.tsx";

/** In the order in which the navigation shows them. */
export const navGroups = [
  "start",
  "compute",
  "billing",
  "account",
  "operate",
  "sell",
  "infrastructure",
] as const;
export type NavGroup = (typeof navGroups)[number];

export interface Page {
  /** As TanStack Router writes it: `/instances/$leaseId`. */
  readonly path: string;
  /** Its name: in the navigation, the palette, the title of the window. */
  readonly title: TextKey;
  /** Who lacks it does not see the page named, and is told why when he goes there. */
  readonly permission: Permission;
  readonly load: () => Promise<() => ReactNode>;
  /** Left out: reached from other pages only. */
  readonly nav?: { readonly group: NavGroup; readonly order: number; readonly icon: IconName };
}

export const pages: readonly Page[] = [
  {
    path: "/",
    title: "home.title",
    permission: "billing.read",
    nav: { group: "start", order: 1, icon: "home" },
    load: async () => (await import("#console/pages/home/home-page.tsx")).HomePage,
  },
  {
    path: "/instances",
    title: "instances.title",
    permission: "compute.read",
    nav: { group: "compute", order: 2, icon: "server" },
    load: async () => (await import("#console/pages/instances/list-page.tsx")).InstancesPage,
  },
  {
    path: "/offers",
    title: "offers.title",
    permission: "catalog.read",
    nav: { group: "compute", order: 1, icon: "offer" },
    load: async () => (await import("#console/pages/offers/offers-page.tsx")).OffersPage,
  },
  {
    path: "/instances/new",
    title: "rent.title",
    permission: "compute.use",
    load: async () => (await import("#console/pages/instances/new-page.tsx")).NewInstancePage,
  },
];

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
  "money",
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
  {
    path: "/jobs",
    title: "jobs.title",
    permission: "compute.read",
    nav: { group: "compute", order: 5, icon: "job" },
    load: async () => (await import("#console/pages/jobs/list-page.tsx")).JobsPage,
  },
  {
    path: "/jobs/new",
    title: "jobs.newTitle",
    permission: "compute.use",
    load: async () => (await import("#console/pages/jobs/new-page.tsx")).NewJobPage,
  },
  {
    path: "/jobs/$jobId",
    title: "jobs.job",
    permission: "compute.read",
    load: async () => (await import("#console/pages/jobs/detail-page.tsx")).JobPage,
  },
  {
    path: "/files",
    title: "files.title",
    permission: "compute.read",
    nav: { group: "compute", order: 6, icon: "folder" },
    load: async () => (await import("#console/pages/files/files-page.tsx")).FilesPage,
  },
  {
    path: "/team",
    title: "account.team.title",
    permission: "member.read",
    nav: { group: "account", order: 1, icon: "team" },
    load: async () => (await import("#console/pages/account/team-page.tsx")).TeamPage,
  },
  {
    path: "/ssh-keys",
    title: "account.ssh.title",
    permission: "self",
    nav: { group: "account", order: 2, icon: "key" },
    load: async () => (await import("#console/pages/account/ssh-keys-page.tsx")).SshKeysPage,
  },
  {
    path: "/api-keys",
    title: "account.api.title",
    permission: "self",
    nav: { group: "account", order: 3, icon: "code" },
    load: async () => (await import("#console/pages/account/api-keys-page.tsx")).ApiKeysPage,
  },
  {
    path: "/quota",
    title: "account.quota.title",
    permission: "tenant.read",
    nav: { group: "account", order: 4, icon: "gauge" },
    load: async () => (await import("#console/pages/account/quota-page.tsx")).QuotaPage,
  },
  {
    path: "/audit",
    title: "account.audit.title",
    permission: "audit.read",
    nav: { group: "account", order: 5, icon: "list" },
    load: async () => (await import("#console/pages/account/audit-page.tsx")).AuditPage,
  },
  {
    path: "/profile",
    title: "account.profile.title",
    permission: "self",
    nav: { group: "account", order: 6, icon: "user" },
    load: async () => (await import("#console/pages/account/profile-page.tsx")).ProfilePage,
  },
  {
    path: "/billing",
    title: "billing.title",
    permission: "billing.read",
    nav: { group: "billing", order: 1, icon: "money" },
    load: async () => (await import("#console/pages/billing/billing-page.tsx")).BillingPage,
  },
  {
    path: "/billing/usage",
    title: "usage.title",
    permission: "billing.read",
    nav: { group: "billing", order: 2, icon: "chart" },
    load: async () => (await import("#console/pages/billing/usage/usage-page.tsx")).UsagePage,
  },
  {
    path: "/billing/statements",
    title: "statements.title",
    permission: "billing.read",
    nav: { group: "billing", order: 3, icon: "invoice" },
    load: async () =>
      (await import("#console/pages/billing/statements/statements-page.tsx")).StatementsPage,
  },
  {
    path: "/billing/invoices/$invoice",
    title: "statements.invoice",
    permission: "billing.read",
    load: async () =>
      (await import("#console/pages/billing/statements/invoice-page.tsx")).InvoicePage,
  },
  {
    path: "/billing/verify",
    title: "verify.title",
    permission: "billing.read",
    nav: { group: "billing", order: 4, icon: "shield" },
    load: async () => (await import("#console/pages/billing/verify/verify-page.tsx")).VerifyPage,
  },
  {
    path: "/notices",
    title: "notices.title",
    permission: "tenant.read",
    nav: { group: "account", order: 9, icon: "bell" },
    load: async () => (await import("#console/pages/billing/notices-page.tsx")).NoticesPage,
  },
  {
    path: "/instances/$leaseId",
    title: "lease.title",
    permission: "compute.read",
    load: async () => (await import("#console/pages/instances/detail-page.tsx")).InstancePage,
  },
  {
    path: "/operate/queue",
    title: "queue.title",
    permission: "platform.read",
    nav: { group: "operate", order: 5, icon: "queue" },
    load: async () => (await import("#console/pages/queue/queue-page.tsx")).QueuePage,
  },
  {
    path: "/operate",
    title: "infrastructure.overview.title",
    permission: "platform.read",
    nav: { group: "operate", order: 1, icon: "chart" },
    load: async () =>
      (await import("#console/pages/infrastructure/overview-page.tsx")).OverviewPage,
  },
  {
    path: "/operate/alerts",
    title: "infrastructure.alerts.title",
    permission: "platform.read",
    nav: { group: "operate", order: 2, icon: "bell" },
    load: async () => (await import("#console/pages/infrastructure/alerts-page.tsx")).AlertsPage,
  },
  {
    path: "/operate/hosts",
    title: "infrastructure.hosts.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 1, icon: "host" },
    load: async () => (await import("#console/pages/infrastructure/hosts-page.tsx")).HostsPage,
  },
  {
    path: "/operate/hosts/$hostId",
    title: "infrastructure.hosts.host",
    permission: "platform.read",
    load: async () => (await import("#console/pages/infrastructure/host-page.tsx")).HostPage,
  },
  {
    path: "/operate/pools",
    title: "infrastructure.pools.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 2, icon: "pool" },
    load: async () => (await import("#console/pages/infrastructure/pools-page.tsx")).PoolsPage,
  },
  {
    path: "/operate/catalog",
    title: "infrastructure.catalog.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 3, icon: "offer" },
    load: async () => (await import("#console/pages/infrastructure/catalog-page.tsx")).CatalogPage,
  },
  {
    path: "/operate/platforms",
    title: "infrastructure.platforms.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 4, icon: "plug" },
    load: async () =>
      (await import("#console/pages/infrastructure/platforms-page.tsx")).PlatformsPage,
  },
  {
    path: "/operate/orphans",
    title: "infrastructure.orphans.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 5, icon: "search" },
    load: async () => (await import("#console/pages/infrastructure/orphans-page.tsx")).OrphansPage,
  },
  {
    path: "/operate/idle",
    title: "infrastructure.idle.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 6, icon: "clock" },
    load: async () => (await import("#console/pages/infrastructure/idle-page.tsx")).IdlePage,
  },
  {
    path: "/operate/usage-reviews",
    title: "infrastructure.reviews.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 7, icon: "shield" },
    load: async () =>
      (await import("#console/pages/infrastructure/usage-reviews-page.tsx")).UsageReviewsPage,
  },
  {
    path: "/operate/system",
    title: "infrastructure.system.title",
    permission: "platform.read",
    nav: { group: "infrastructure", order: 8, icon: "info" },
    load: async () => (await import("#console/pages/infrastructure/system-page.tsx")).SystemPage,
  },
  {
    path: "/operate/prices",
    title: "prices.title",
    permission: "catalog.manage",
    nav: { group: "money", order: 1, icon: "offer" },
    load: async () => (await import("#console/pages/prices/list-page.tsx")).PricesPage,
  },
  {
    path: "/operate/prices/new",
    title: "prices.createTitle",
    permission: "catalog.manage",
    load: async () => (await import("#console/pages/prices/new-page.tsx")).NewPriceProfilePage,
  },
  {
    path: "/operate/prices/replay",
    title: "prices.replayTitle",
    permission: "catalog.manage",
    load: async () => (await import("#console/pages/prices/replay-page.tsx")).ReplayPricesPage,
  },
  {
    path: "/operate/prices/$profileId",
    title: "prices.one",
    permission: "catalog.manage",
    load: async () => (await import("#console/pages/prices/detail-page.tsx")).PriceProfilePage,
  },
  {
    path: "/operate/ledger",
    title: "books.ledger.title",
    permission: "platform.read",
    nav: { group: "money", order: 2, icon: "book" },
    load: async () => (await import("#console/pages/books/ledger-page.tsx")).LedgerPage,
  },
  {
    path: "/operate/payments",
    title: "books.payments.title",
    permission: "platform.read",
    nav: { group: "money", order: 3, icon: "money" },
    load: async () => (await import("#console/pages/books/payments-page.tsx")).PaymentsPage,
  },
  {
    path: "/operate/invoices",
    title: "books.invoices.title",
    permission: "platform.read",
    nav: { group: "money", order: 4, icon: "invoice" },
    load: async () => (await import("#console/pages/books/invoices-page.tsx")).AllInvoicesPage,
  },
  {
    path: "/operate/reconciliation",
    title: "books.check.title",
    permission: "platform.read",
    nav: { group: "money", order: 5, icon: "shield" },
    load: async () =>
      (await import("#console/pages/books/reconciliation-page.tsx")).ReconciliationPage,
  },
  {
    path: "/groups",
    title: "groups.title",
    permission: "compute.read",
    nav: { group: "compute", order: 3, icon: "pool" },
    load: async () => (await import("#console/pages/groups/list-page.tsx")).GroupsPage,
  },
  {
    path: "/groups/new",
    title: "groups.create",
    permission: "compute.use",
    load: async () => (await import("#console/pages/groups/new-page.tsx")).NewGroupPage,
  },
  {
    path: "/groups/$groupId",
    title: "groups.one",
    permission: "compute.read",
    load: async () => (await import("#console/pages/groups/detail-page.tsx")).GroupPage,
  },
  {
    path: "/operate/customers",
    title: "customers.title",
    permission: "platform.read",
    nav: { group: "sell", order: 1, icon: "team" },
    load: async () => (await import("#console/pages/customers/list-page.tsx")).CustomersPage,
  },
  {
    path: "/operate/customers/$tenantId",
    title: "customers.one",
    permission: "platform.read",
    load: async () => (await import("#console/pages/customers/customer-page.tsx")).CustomerPage,
  },
  {
    path: "/operate/customer-tasks",
    title: "selling.tasks",
    permission: "platform.read",
    nav: { group: "sell", order: 2, icon: "bell" },
    load: async () => (await import("#console/pages/customers/tasks-page.tsx")).TasksPage,
  },
  {
    path: "/operate/applications",
    title: "selling.applications",
    permission: "platform.read",
    nav: { group: "sell", order: 3, icon: "edit" },
    load: async () =>
      (await import("#console/pages/customers/applications-page.tsx")).ApplicationsPage,
  },
  {
    path: "/operate/services",
    title: "selling.services",
    permission: "platform.read",
    nav: { group: "sell", order: 4, icon: "tool" },
    load: async () => (await import("#console/pages/customers/services-page.tsx")).ServicesPage,
  },
  {
    path: "/operate/agreements",
    title: "selling.agreements",
    permission: "platform.read",
    nav: { group: "sell", order: 5, icon: "book" },
    load: async () => (await import("#console/pages/customers/agreements-page.tsx")).AgreementsPage,
  },
  {
    path: "/operate/revenue",
    title: "selling.revenue",
    permission: "platform.read",
    nav: { group: "sell", order: 6, icon: "money" },
    load: async () => (await import("#console/pages/customers/revenue-page.tsx")).RevenuePage,
  },
];

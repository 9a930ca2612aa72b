/**
 * Where one goes to see every page of the console: each page of the table, with an id where it needs
 * one, and the tabs of those that have some.
 */
import { readFileSync } from "node:fs";

import type { Believable } from "./believable.ts";

export interface Place {
  readonly address: string;
  /** Of its picture. */
  readonly name: string;
}

/** The first tab is the page without one. */
const tabs: Readonly<Record<string, readonly string[]>> = {
  "/instances/$leaseId": ["console", "metrics", "storage", "snapshots", "events", "cost", "api"],
  "/jobs/$jobId": ["log", "attempts", "request", "api"],
  "/billing": ["payments", "packages", "subscriptions", "services", "prices", "agreements"],
  "/billing/statements": ["invoices", "orders", "journals"],
  "/team": ["projects"],
  "/operate/queue": ["limits", "policy", "plan", "replay"],
  "/operate/hosts": ["places"],
  "/operate/catalog": ["images"],
  "/operate/idle": ["report"],
  "/operate/customers/$tenantId": [
    "money",
    "prices",
    "limits",
    "tier",
    "work",
    "users",
    "review",
    "agreements",
  ],
};

/** Read, not imported: the table is the console's, which is compiled by other rules. */
const table = readFileSync(new URL("../../console/src/routes.tsx", import.meta.url), "utf8");
const paths = [...table.matchAll(/^ {4}path: "([^"]+)"/gm)].map((match) => match[1] ?? "");

export function placesOf(of: Believable): {
  readonly customer: readonly Place[];
  readonly operator: readonly Place[];
  /** Of the customer whose invoice was taken back. */
  readonly second: readonly Place[];
} {
  const places = paths.flatMap((path) => placesOfPage(path, of));
  const isOperators = ({ address }: Place): boolean => address.startsWith("/operate");
  return {
    customer: [
      ...places.filter((place) => !isOperators(place)),
      { name: "job-waits", address: `/jobs/${of.waitingJobId}` },
      // An invoice that is not there says so.
      { name: "invoice-missing", address: "/billing/invoices/none" },
    ],
    operator: places.filter(isOperators),
    second: [
      { name: "invoice-void", address: `/billing/invoices/${of.closed.voided}` },
      { name: "invoice-credit-note", address: `/billing/invoices/${of.closed.creditNote}` },
      { name: "statements-invoices-void", address: "/billing/statements?tab=invoices" },
    ],
  };
}

function placesOfPage(path: string, of: Believable): readonly Place[] {
  const address = path.replaceAll(/\$([a-zA-Z]+)/g, (_whole, name: string) => {
    const value = of.ids[name];
    if (value === undefined) throw new Error(`${path}: nothing says what ${name} is.`);
    return value;
  });
  const name = path === "/" ? "home" : path.slice(1).replaceAll(/[/$]+/g, "-");
  return [
    { name, address },
    ...(tabs[path] ?? []).map((tab) => ({
      name: `${name}-${tab}`,
      address: `${address}?tab=${tab}`,
    })),
  ];
}

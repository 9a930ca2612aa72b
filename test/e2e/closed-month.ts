/**
 * A month that is over, with its invoice: what was used then is told by the operator's meters, which may
 * send events for 35 days; a month is closed two days after its end.
 */
import { randomUUID } from "node:crypto";

import { expect, vi } from "vitest";

import { createClient, type Client } from "#client/client.ts";

import type { ConsoleCloud, Customer } from "./console-cloud.ts";

const dayMs = 86_400_000;
const waiting = { timeout: 180_000, interval: 200 };

/** The last day of the last month that can be closed by now, as `2026-10-31`. */
export function lastDayOfClosedMonth(now: number): string {
  const safe = new Date(now - 3 * dayMs);
  return new Date(Date.UTC(safe.getUTCFullYear(), safe.getUTCMonth(), 0))
    .toISOString()
    .slice(0, 10);
}

export interface Used {
  readonly sku: string;
  readonly unit: string;
  readonly units: number;
}

/** Two hours of each on that day, measured elsewhere, and the number of their month's invoice. */
export async function invoiceFor(
  cloud: ConsoleCloud,
  { id: tenant }: Pick<Customer, "id">,
  { day, used }: { readonly day: string; readonly used: readonly Used[] },
): Promise<string> {
  const month = day.slice(0, 7);
  const forThem = createClient({ baseUrl: cloud.url, credential: cloud.key, tenant });
  const [from, until] = ["02", "04"].map((hour) => `${day}T${hour}:00:00Z`);
  const [project, request, instance] = [randomUUID(), randomUUID(), randomUUID()];
  const body = used.map(({ sku, unit, units }) => ({
    specversion: "1.0",
    source: "/meters/journey",
    id: randomUUID(),
    time: until,
    type: "compute.usage.recorded.v1",
    datacontenttype: "application/json",
    data: {
      tenant,
      project,
      request,
      instance,
      interval: randomUUID(),
      work: "lease",
      plan: "on_demand",
      sku,
      unit,
      units: String(units),
      slice: 1,
      from,
      until,
      billable: true,
      reason: null,
    },
  }));
  expect((await cloud.operator.call("recordUsage", { body })).accepted).toBe(body.length);
  return invoiceOf(forThem, month);
}

/** The number of a month's invoice, which is closed now. As the operator for the customer. */
export async function invoiceOf(forThem: Client, month: string): Promise<string> {
  await vi.waitFor(async () => {
    const { lines } = await forThem.call("getStatement", { query: { month } });
    const isPosted = lines.length > 0 && lines.every(({ state }) => state === "posted");
    if (!isPosted) throw new Error("Not all of it is posted yet.");
  }, waiting);
  // No month is closed before the log has its events.
  await vi.waitFor(async () => {
    const { items } = await forThem.call("listUsageEvents", { query: { month } });
    if (items.some(({ leafIndex }) => leafIndex === null)) throw new Error("Not in the log yet.");
  }, waiting);
  // Money that comes in makes invoices be looked at.
  await forThem.call("createTopUp", { body: { amount: "1", reference: "look at invoices" } });
  return vi.waitFor(async () => {
    const { items } = await forThem.call("listInvoices");
    const number = items.find(({ period }) => period === month)?.number;
    if (number === undefined || number === null) throw new Error(`No invoice for ${month} yet.`);
    return number;
  }, waiting);
}

/**
 * Closes months, once each, and keeps the money states of invoices: once the last day of a tenant's
 * month is posted, its invoice is written; what is owed of it follows the ledger until it is paid.
 */
import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type { Db } from "#db/pool.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { signedChannel } from "#flow/meter/log-store.ts";
import { billedLines } from "#flow/rate/charge-lines.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { addDays, dayOf, type LocalMonth } from "#kernel/calendar.ts";
import { formatFen, zeroFen } from "#kernel/money.ts";
import { billingZone, isTimeZone, timeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import { composeStatement } from "./compose.ts";
import {
  insertInvoices,
  lockUnsettled,
  monthsToClose,
  owedOutsideInvoices,
  setState,
  tenantsUnsettled,
  type MonthToClose,
} from "./invoices.ts";
import { isCovered } from "./decide.ts";
import { leavesOfLines } from "./leaves.ts";
import { outstandingOf, stateOf } from "./settle.ts";
import { billedItems, checkpointNow, spanOf } from "./statements.ts";
import { sayIfNeverSigned, type Closed } from "./unsigned.ts";

const tenantsPerRead = 200;
const tenantsPerClose = 50;

export interface InvoiceContext {
  readonly db: Db;
  readonly now: () => number;
}

export function invoiceLoop(context: InvoiceContext): LoopDefinition {
  return {
    name: "invoice",
    periodMs: 600_000,
    // Money that came in may pay an invoice; what is signed may be on one.
    channels: ["balance", signedChannel],
    pass: async (signal) => {
      const closed = await closeMonths(context, signal);
      await settleInvoices(context, signal);
      return closed > 0 && !signal.aborted ? "again" : "rest";
    },
  };
}

/** How many were written. A tenant with several months to close has the next one in the next pass. */
export async function closeMonths(
  { db, now }: InvoiceContext,
  signal: AbortSignal,
): Promise<number> {
  let written = 0;
  let prices: PriceBook | undefined;
  let after: string | undefined;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const due = await monthsToClose(db, { after, limit: tenantsPerRead, now: now() });
    if (due.length > 0) prices ??= await loadPriceBook(db);
    for (const [month, tenants] of Map.groupBy(due, (each) => each.month)) {
      for (let at = 0; at < tenants.length; at += tenantsPerClose) {
        if (signal.aborted) return written;
        const some = tenants.slice(at, at + tenantsPerClose);
        // oxlint-disable-next-line no-await-in-loop -- one transaction at a time
        const closed = await closeSome(db, {
          month,
          tenants: some,
          prices: prices ?? [],
          now: now(),
        });
        written += closed.written;
        // oxlint-disable-next-line no-await-in-loop -- likewise
        await sayIfNeverSigned(db, { ...closed, month, at: now() });
      }
    }
    after = due.at(-1)?.tenantId;
    if (due.length < tenantsPerRead) return written;
  }
}

/** Many in one transaction, as a commit costs as much as an invoice. */
function closeSome(
  db: Db,
  ask: {
    readonly month: LocalMonth;
    readonly tenants: readonly MonthToClose[];
    readonly prices: PriceBook;
    readonly now: number;
  },
): Promise<Closed> {
  const { month, tenants, prices, now } = ask;
  return db.transaction(async (tx) => {
    const tenantIds = tenants.map(({ tenantId }) => tenantId);
    const lines = await billedLines(tx, { month, tenantIds });
    const items = await billedItems(tx, { month, tenantIds });
    const range = { kind: "billed", month } as const;
    const span = spanOf(range, [...lines.values()].flat());
    const leaves = await leavesOfLines(tx, { tenantIds, ...span });
    const checkpoint = await checkpointNow(tx);
    const invoices = tenants.map(({ tenantId, name, timeZone: zoneName }) => {
      const zone = timeZone(zoneName);
      const of = {
        tenant: { id: tenantId, name },
        timeZone: zone,
        range,
      };
      const today = dayOf(zone, now);
      const { invoice_due_days: dueDays } = pricesOn(prices, today)?.profile ?? defaultProfile;
      return {
        statement: composeStatement(prices, of, {
          lines: lines.get(tenantId) ?? [],
          items: items.get(tenantId) ?? [],
          leavesOf: leaves(tenantId),
          checkpoint,
        }),
        dueOn: addDays(today, dueDays),
      };
    });
    // What is not signed yet cannot be proven by its bill; the next pass closes it.
    const provable = invoices.filter(({ statement }) => isCovered(statement));
    const written = await insertInvoices(tx, { month, invoices: provable, now });
    return { written, unsigned: checkpoint === null ? invoices.length - provable.length : 0 };
  });
}

/** Compares what is owed with the invoices, for every tenant who has one that is not settled. */
export async function settleInvoices(
  { db, now }: InvoiceContext,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const tenants = await tenantsUnsettled(db, { after, limit: tenantsPerRead });
    for (const tenantId of tenants) {
      if (signal.aborted) return;
      // oxlint-disable-next-line no-await-in-loop -- one tenant at a time
      await settleTenant(db, tenantId, now());
    }
    after = tenants.at(-1);
    if (tenants.length < tenantsPerRead) return;
  }
}

export function settleTenant(db: Db, tenantId: string, now: number): Promise<void> {
  return db.tenant(tenantId, async (tx) => {
    const invoices = await lockUnsettled(tx, tenantId);
    const { owed } = await credit(tx, tenantId);
    const newer = await owedOutsideInvoices(tx, tenantId);
    const outstanding = outstandingOf(owed, newer, invoices);
    const name = present(await findTenant(tx, tenantId), "the tenant").timeZone;
    const today = dayOf(isTimeZone(name) ? timeZone(name) : billingZone, now);
    for (const invoice of invoices) {
      const { id, number, state: before } = invoice;
      const dueOn = present(invoice.dueOn, "an invoice has a due day");
      const left = outstanding.get(id) ?? zeroFen;
      const state = stateOf({ outstanding: left, dueOn, today });
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await setState(tx, { tenantId, id, state, outstanding: left, now });
      if (state !== "overdue" || before === "overdue") continue;
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await notify(tx, {
        tenantId,
        key: `invoice-overdue:${id}`,
        kind: "invoice_overdue",
        severity: "warning",
        data: { invoice: number, amount: formatFen(left), due: dueOn },
        at: now,
      });
    }
  });
}

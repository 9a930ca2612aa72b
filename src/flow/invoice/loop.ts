/** Closes months: once the last day of a tenant's month is posted, its invoice is written, once. */
import { loadPriceBook } from "#catalog/price-profiles.ts";
import type { Db } from "#db/pool.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { timeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { insertInvoice, monthsToClose, readStatement } from "./store.ts";

const monthsPerPassMax = 200;

export function invoiceLoop({
  db,
  now,
}: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  return {
    name: "invoice",
    // Days are posted once a day, so this is soon enough.
    periodMs: 600_000,
    channels: [],
    pass: async (signal) => {
      const due = await monthsToClose(db, monthsPerPassMax);
      if (due.length === 0) return "rest";
      const prices = await loadPriceBook(db);
      for (const { tenantId, month, timeZone: zone } of due) {
        if (signal.aborted) return "rest";
        // oxlint-disable-next-line no-await-in-loop -- one month at a time
        await db.tenant(tenantId, async (tx) => {
          const { id, displayName } = present(await findTenant(tx, tenantId), "the tenant");
          const statement = await readStatement(tx, prices, {
            tenant: { id, name: displayName },
            timeZone: timeZone(zone),
            range: { kind: "billed", month },
          });
          await insertInvoice(tx, { month, statement, now: now() });
        });
      }
      return due.length === monthsPerPassMax ? "again" : "rest";
    },
  };
}

/** From a line of a bill to its events and the entries of the log, on a real database. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { cutLoop } from "#flow/meter/cut-loop.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { priceOn } from "#flow/rate/prices.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayStart, localDay, localMonth, type LocalDay } from "#kernel/calendar.ts";
import { formatRational } from "#kernel/rational.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { explainLine } from "./explain.ts";
import { readStatement } from "./statements.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const book = await loadPriceBook(db);
const { tenant } = await db.transaction((tx) => createTenant(tx, { name: "explained", now: 0 }));
const prices = { book, contracts: [], tierOn: () => "normal" as const };
const priceOf = (sku: string, day: LocalDay) => priceOn(prices, sku, day);

function at(day: string, hours = 0): number {
  return dayStart(billingZone, localDay(day)) + hours * 3_600_000;
}

async function use(from: number, until: number): Promise<void> {
  const id = newId();
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      started_at, ended_at, source_seq)
    values (${tenant.id}, ${id}, ${id}, ${id}, ${id}, 'gpu.T4', 1, ${new Date(from)},
      ${new Date(until)}, 1)`);
}

test("MT-05: a line says where the month stood, and which events it rests on", async () => {
  // Twenty minutes on three days: 1.67 + 1.66 + 1.67.
  for (const day of ["2026-05-04", "2026-05-05", "2026-05-06"]) {
    // oxlint-disable-next-line no-await-in-loop -- three days
    await use(at(day, 1), at(day, 1) + 1_200_000);
  }
  const now = at("2026-05-09");
  await cutLoop({ db, now: () => now }).pass(new AbortController().signal);
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant.id, book);
  const ask = { tenantId: tenant.id, sku: "gpu.T4", priceOf };
  const second = await explainLine(db, { ...ask, day: localDay("2026-05-05") });
  expect(second.lines).toMatchObject([{ amount: 166n, revision: 0 }]);
  expect(formatRational(second.before.exact)).toBe("5/3");
  expect(formatRational(second.after.exact)).toBe("10/3");
  expect(second.events.map(({ use: each }) => each.until - each.from)).toEqual([1_200_000]);
  await expect(explainLine(db, { ...ask, day: localDay("2026-05-07") })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("R-LOG-1: a line names the entries of the log that it rests on, the statement its checkpoint", async () => {
  // As the sequencer would: entries in the order of acceptance, and a checkpoint over them.
  await db.execute(sql`
    insert into log_entry (leaf_index, received)
    select row_number() over (order by received) - 1 + 7, received from usage_event`);
  await db.execute(sql`
    insert into log_checkpoint (size, root, note, signed_at)
    values (10, ${Buffer.alloc(32, 1)}, 'note', now())`);
  const statement = await db.tenant(tenant.id, (tx) =>
    readStatement(tx, book, {
      tenant: { id: tenant.id, name: "x" },
      timeZone: billingZone,
      range: { kind: "billed", month: localMonth("2026-05") },
    }),
  );
  expect(statement.checkpoint).toEqual({ size: 10, root: Buffer.alloc(32, 1).toString("base64") });
  expect(statement.lines.map(({ date, leaves }) => [date, leaves])).toEqual([
    ["2026-05-04", { first: 7, last: 7, count: 1 }],
    ["2026-05-05", { first: 8, last: 8, count: 1 }],
    ["2026-05-06", { first: 9, last: 9, count: 1 }],
  ]);
});

/** Orders that are charged when they are there, against a real PostgreSQL. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { parseFen } from "#kernel/money.ts";
import { testDatabase } from "#test/database.ts";

import { credit } from "./accounts.ts";
import { checkLedger } from "./check.ts";
import { chargeHeldOrder } from "./held-orders.ts";
import { placeHold } from "./holds.ts";
import { listJournals, recordTopUp, voidJournal } from "./store.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);
const amount = parseFen("600.00");

async function scene() {
  const tenant = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${tenant}, 'customer', ${tenant}, ${tenant}, 'Asia/Shanghai', ${new Date(at)})`);
  const paid = await db.tenant(tenant, (tx) =>
    recordTopUp(tx, tenant, { reference: "r", amount: parseFen("1000.00"), at }),
  );
  const reference = "expansion:1";
  await db.tenant(tenant, (tx) =>
    placeHold(tx, tenant, { reference, amount, description: "Expansion", at }),
  );
  const order = { reference, orderItemId: newId(), sku: "elastic", description: "Expansion", at };
  return {
    tenant,
    paid: paid.journal.id,
    charge: (cost = amount) =>
      db.tenant(tenant, (tx) => chargeHeldOrder(tx, tenant, { ...order, amount: cost })),
  };
}

test("the hold ends and the order is charged at once, and once", async () => {
  const { tenant, charge } = await scene();
  expect(await credit(db, tenant)).toMatchObject({ held: 60_000n, available: 40_000n });
  await Promise.all([charge(), charge()]);
  await charge();
  expect(await credit(db, tenant)).toMatchObject({ held: 0n, balance: 40_000n });
  const kinds = (await listJournals(db, tenant, { after: undefined, limit: 10 })).map(
    ({ kind }) => kind,
  );
  expect(kinds.toSorted()).toEqual(["hold", "order", "release", "top_up"]);
});

test("what costs nothing in the end gives its hold back", async () => {
  const { tenant, charge } = await scene();
  await charge(parseFen("0.00"));
  expect(await credit(db, tenant)).toMatchObject({ held: 0n, balance: 100_000n });
});

test("where a debt took what was held, the order is charged all the same, and the rest is owed", async () => {
  const { tenant, paid, charge } = await scene();
  // The bank takes the payment back: what is held is all that is left, and as much is owed.
  await db.tenant(tenant, (tx) => voidJournal(tx, tenant, { id: paid, reason: "recalled", at }));
  expect(await credit(db, tenant)).toMatchObject({ held: 60_000n, owed: 60_000n, balance: 0n });
  await charge();
  expect(await credit(db, tenant)).toMatchObject({ held: 0n, owed: 60_000n, balance: -60_000n });
  expect(await checkLedger(db)).toEqual([]);
});

/** Packages and orders against a real PostgreSQL: paid once, never more than the wallet bears. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { parseFen, type Fen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { credit, openPackages, packageCredit } from "./accounts.ts";
import { checkLedger } from "./check.ts";
import {
  buyPackage,
  chargeOrder,
  expirePackage,
  extendPackage,
  payOut,
  refundOrder,
  refundPackage,
  type PurchaseOutcome,
} from "./purchases.ts";
import { listJournals, recordTopUp, voidJournal } from "./store.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);

async function newTenant(yuan: string): Promise<string> {
  const id = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, ${id}, 'Asia/Shanghai', ${new Date(at)})`);
  const amount = parseFen(yuan);
  await db.tenant(id, (tx) => recordTopUp(tx, id, { reference: "first", amount, at }));
  return id;
}

function buy(tenant: string, packageId: string, through = "2026-08-04"): Promise<PurchaseOutcome> {
  const usableThrough = localDay(through);
  return db.tenant(tenant, (tx) =>
    buyPackage(tx, tenant, {
      packageId,
      code: "P1000",
      price: parseFen("1000.00"),
      bonus: parseFen("50.00"),
      usableFrom: localDay("2026-05-04"),
      usableThrough,
      expiresAt: dayStart(billingZone, usableThrough) + 24 * 3_600_000,
      at,
    }),
  );
}

/** All balances of a tenant, without those of zero. */
async function books(tenant: string): Promise<Record<string, bigint>> {
  const journals = await listJournals(db, tenant, { after: undefined, limit: 100 });
  const sums: Record<string, bigint> = {};
  for (const { account, amount } of journals.flatMap(({ postings }) => postings)) {
    sums[account] = (sums[account] ?? 0n) + amount;
  }
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0n));
}

test("R-PKG-1, R-LED-1: a package is paid from the wallet, once; its bonus is a promotion", async () => {
  const tenant = await newTenant("1500.00");
  const id = newId();
  expect(await buy(tenant, id)).toEqual({ kind: "paid", isNew: true });
  expect(await buy(tenant, id)).toEqual({ kind: "paid", isNew: false });
  expect(await books(tenant)).toEqual({
    cash: -150_000n,
    wallet: 50_000n,
    principal: 100_000n,
    bonus: 5000n,
    promotion: -5000n,
  });
  expect(await openPackages(db, tenant)).toMatchObject([
    { id, principal: 100_000n, bonus: 5000n, usableThrough: "2026-08-04", endedAs: undefined },
  ]);
  expect(await buy(tenant, newId())).toEqual({
    kind: "insufficient",
    asked: 100_000n,
    available: 50_000n,
  });
});

test("of packages bought at once only as many go through as there is money", async () => {
  const tenant = await newTenant("2500.00");
  const all = await Promise.all([newId(), newId(), newId(), newId()].map((id) => buy(tenant, id)));
  expect(all.filter(({ kind }) => kind === "paid")).toHaveLength(2);
  expect(await credit(db, tenant)).toMatchObject({ available: 50_000n });
});

test("R-PKG-3: packages are in the order in which they pay: by last day, first day, id", async () => {
  const tenant = await newTenant("3000.00");
  const [first, second, third] = [newId(), newId(), newId()];
  await buy(tenant, third, "2027-05-04");
  await buy(tenant, second);
  await buy(tenant, first);
  expect((await openPackages(db, tenant)).map(({ id }) => id)).toEqual([
    ...[first, second].toSorted(),
    third,
  ]);
});

test("R-PKG-7: a refund gives back what was paid and not used, once; the bonus is void", async () => {
  const tenant = await newTenant("1000.00");
  const packageId = newId();
  await buy(tenant, packageId);
  const refund = () => db.tenant(tenant, (tx) => refundPackage(tx, tenant, { packageId, at }));
  const left = { principal: 100_000n, bonus: 5000n };
  expect(await refund()).toEqual({ kind: "refunded", left, isNew: true });
  expect(await refund()).toEqual({ kind: "refunded", left, isNew: false });
  expect(await books(tenant)).toEqual({ cash: -100_000n, wallet: 100_000n });
  expect(await openPackages(db, tenant)).toEqual([]);
  expect(await db.tenant(tenant, (tx) => expirePackage(tx, tenant, packageId))).toEqual({
    principal: 0n,
    bonus: 0n,
  });
});

test("R-PKG-6: what is left at expiry is breakage, dated at expiry, once", async () => {
  const tenant = await newTenant("1000.00");
  const packageId = newId();
  await buy(tenant, packageId);
  const expire = () => db.tenant(tenant, (tx) => expirePackage(tx, tenant, packageId));
  expect(await expire()).toEqual({ principal: 100_000n, bonus: 5000n });
  expect(await expire()).toEqual({ principal: 0n, bonus: 0n });
  expect(await books(tenant)).toEqual({
    cash: -100_000n,
    promotion: -5000n,
    breakage: 105_000n,
  });
  const [forfeited] = await listJournals(db, tenant, { after: undefined, limit: 1 });
  expect(forfeited).toMatchObject({ kind: "breakage", at: Date.UTC(2026, 7, 4, 16) });
  const refund = db.tenant(tenant, (tx) => refundPackage(tx, tenant, { packageId, at }));
  expect(await refund).toEqual({ kind: "expired" });
});

test("R-PKG-6: a package may be extended while it is open, to a later day only", async () => {
  const tenant = await newTenant("1000.00");
  const packageId = newId();
  await buy(tenant, packageId);
  const extend = (through: string): Promise<void> =>
    db.tenant(tenant, (tx) =>
      extendPackage(tx, tenant, { packageId, usableThrough: localDay(through), expiresAt: at }),
    );
  await extend("2027-08-04");
  expect(await packageCredit(db, tenant, packageId)).toMatchObject({ usableThrough: "2027-08-04" });
  await expect(extend("2027-08-03")).rejects.toMatchObject({ code: "wrong_state" });
  await db.tenant(tenant, (tx) => refundPackage(tx, tenant, { packageId, at }));
  await expect(extend("2028-08-04")).rejects.toMatchObject({ code: "wrong_state" });
});

test("R-PKG-5: orders are paid from the wallet and never by a package, and given back to it", async () => {
  const tenant = await newTenant("16000.00");
  await buy(tenant, newId());
  const order = (orderItemId: string, amount: Fen): Promise<PurchaseOutcome> =>
    db.tenant(tenant, (tx) =>
      chargeOrder(tx, tenant, {
        orderItemId,
        sku: "vm.a100x1",
        amount,
        description: "a month",
        at,
      }),
    );
  const month = parseFen("15000.00");
  expect(await order("o1", month)).toEqual({ kind: "paid", isNew: true });
  expect(await order("o1", month)).toEqual({ kind: "paid", isNew: false });
  await expect(order("o1", parseFen("1.00"))).rejects.toMatchObject({ code: "conflict" });
  expect(await order("o2", parseFen("0.01"))).toMatchObject({ kind: "insufficient" });
  expect(await order("free", parseFen("0.00"))).toEqual({ kind: "paid", isNew: false });
  const refund = { refundId: "r1", sku: "vm.a100x1", amount: parseFen("5000.00"), description: "" };
  const give = () => db.tenant(tenant, (tx) => refundOrder(tx, tenant, { ...refund, at }));
  expect([(await give()).isNew, (await give()).isNew]).toEqual([true, false]);
  expect(await books(tenant)).toMatchObject({ wallet: 500_000n, revenue: 1_000_000n });
});

test("a payout takes from the wallet what is free there, and its void gives it back", async () => {
  const tenant = await newTenant("100.00");
  const pay = (reference: string, yuan: string): Promise<PurchaseOutcome> =>
    db.tenant(tenant, (tx) =>
      payOut(tx, tenant, { reference, amount: parseFen(yuan), reason: "closing", at }),
    );
  expect(await pay("p1", "100.01")).toMatchObject({ kind: "insufficient", available: 10_000n });
  expect(await pay("p1", "60.00")).toEqual({ kind: "paid", isNew: true });
  expect(await pay("p1", "60.00")).toEqual({ kind: "paid", isNew: false });
  expect(await books(tenant)).toEqual({ cash: -4000n, wallet: 4000n });
  const [paid] = await listJournals(db, tenant, { after: undefined, limit: 1 });
  const ask = { id: paid?.id ?? "", reason: "the account does not exist", at };
  await db.tenant(tenant, (tx) => voidJournal(tx, tenant, ask));
  expect(await books(tenant)).toEqual({ cash: -10_000n, wallet: 10_000n });
});

test("R-LED-1: after all of it the books balance, and the check finds what does not", async () => {
  expect(await checkLedger(db)).toEqual([]);
  const tenant = await newTenant("1000.00");
  const packageId = newId();
  await buy(tenant, packageId);
  await db.execute(sql`update package_credit set ended_as = 'expired' where id = ${packageId}`);
  const problems = (await checkLedger(db)).map(({ problem }) => problem);
  expect(problems.toSorted()).toEqual([
    expect.stringMatching(/^bonus of ended or unknown package .* is 50.00, should be 0.00$/),
    expect.stringMatching(/^principal of ended or unknown package .* is 1000.00, should be 0.00$/),
  ]);
  await db.execute(sql`update package_credit set ended_as = null where id = ${packageId}`);
});

/** Holds that packages back, against a real PostgreSQL. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { credit, setProvisional } from "./accounts.ts";
import { checkLedger } from "./check.ts";
import { placeHoldOnPackages, releaseHeld } from "./holds.ts";
import { packageRoom } from "./package-holds.ts";
import { buyPackage, expirePackage, payOut, refundPackage } from "./purchases.ts";
import { recordTopUp } from "./store.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);
const through = localDay("2026-08-04");
const expiresAt = dayStart(billingZone, localDay("2026-08-05"));

/** A tenant with a package of 1000.00 and 50.00 bonus, and so much beside it. */
async function scene(yuan: string) {
  const tenant = newId();
  const packageId = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${tenant}, 'customer', ${tenant}, ${tenant}, 'Asia/Shanghai', ${new Date(at)})`);
  await db.tenant(tenant, async (tx) => {
    const amount = parseFen("1000.00");
    await recordTopUp(tx, tenant, { reference: "for the package", amount, at });
    const usable = { usableFrom: localDay("2026-05-04"), usableThrough: through, expiresAt };
    const offer = { code: "P1000", price: amount, bonus: parseFen("50.00") };
    await buyPackage(tx, tenant, { packageId, ...offer, ...usable, at });
    if (parseFen(yuan) > 0n) {
      await recordTopUp(tx, tenant, { reference: "beside it", amount: parseFen(yuan), at });
    }
  });
  return {
    tenant,
    packageId,
    hold: (reference: string, amount: string, when = at) =>
      db.tenant(tenant, (tx) =>
        placeHoldOnPackages(tx, tenant, {
          reference,
          amount: parseFen(amount),
          description: "First hour",
          at: when,
        }),
      ),
    release: (reference: string) =>
      db.tenant(tenant, (tx) => releaseHeld(tx, tenant, { reference, at })),
    room: (when = at) => packageRoom(db, tenant, when),
    credit: () => credit(db, tenant),
  };
}

test("R-PKG-5, R-ORD-1: a package backs a hold before the wallet does, and is not touched by it", async () => {
  const { hold, release, room, credit: now } = await scene("20.00");
  expect(await hold("a", "40.00")).toMatchObject({ kind: "held", isNew: true });
  expect(await now()).toMatchObject({ available: 2000n, held: 0n });
  expect(await room()).toBe(101_000n);
  // The rest of what packages cannot back is the wallet's.
  expect(await hold("b", "1020.00")).toMatchObject({ kind: "held", isNew: true });
  expect(await now()).toMatchObject({ available: 1000n, held: 1000n });
  expect(await hold("c", "10.01")).toEqual({
    kind: "insufficient",
    asked: 1001n,
    available: 1000n,
  });
  expect(await hold("d", "10.00")).toMatchObject({ kind: "held", isNew: true });
  for (const reference of ["a", "b", "d"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect([await release(reference), await release(reference)]).toEqual([
      "released",
      "released_before",
    ]);
  }
  expect(await release("c")).toBe("not_held");
  expect(await room()).toBe(105_000n);
  expect(await now()).toMatchObject({ available: 2000n, held: 0n });
  expect(await checkLedger(db)).toEqual([]);
});

test("the same hold again is harmless, with another amount a conflict, and once released it is over", async () => {
  const { hold, release } = await scene("20.00");
  for (const [reference, amount] of [
    ["on the package", "5.00"],
    ["on both", "1060.00"],
    ["in the wallet", "5.00"],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- the second fills the package
    expect(await hold(reference, amount)).toMatchObject({ kind: "held", isNew: true });
    // oxlint-disable-next-line no-await-in-loop -- again
    expect(await hold(reference, amount)).toMatchObject({ kind: "held", isNew: false });
    // oxlint-disable-next-line no-await-in-loop -- another
    await expect(hold(reference, "6.00")).rejects.toMatchObject({ code: "conflict" });
  }
  await release("on the package");
  await expect(hold("on the package", "5.00")).rejects.toMatchObject({ code: "wrong_state" });
  await release("in the wallet");
  await expect(hold("in the wallet", "5.00")).rejects.toMatchObject({ code: "wrong_state" });
});

test("of holds asked for at once, packages back as many as they can", async () => {
  const { hold, room } = await scene("0.00");
  const asked = ["a", "b", "c", "d", "e", "f"].map((name) => hold(name, "300.00"));
  const all = await Promise.all(asked);
  expect(all.filter(({ kind }) => kind === "held")).toHaveLength(3);
  expect(await room()).toBe(15_000n);
});

test("R-DAY-3: what a package will pay for days that are not posted cannot be held again", async () => {
  const { tenant, packageId, hold, room } = await scene("0.00");
  const packages = new Map([[packageId, parseFen("1049.00")]]);
  const wallet = parseFen("0.00");
  await db.tenant(tenant, (tx) => setProvisional(tx, tenant, { wallet, packages }));
  expect(await room()).toBe(100n);
  expect(await hold("a", "1.01")).toEqual({ kind: "insufficient", asked: 101n, available: 100n });
  await db.tenant(tenant, (tx) => setProvisional(tx, tenant, { wallet, packages: new Map() }));
  expect(await hold("a", "1.01")).toMatchObject({ kind: "held" });
});

test("R-PKG-2: a package backs nothing from its expiry on", async () => {
  const { hold, room } = await scene("0.00");
  expect(await room(expiresAt - 1)).toBe(105_000n);
  expect(await room(expiresAt)).toBe(0n);
  expect(await hold("late", "1.00", expiresAt)).toMatchObject({ kind: "insufficient" });
});

test("R-PKG-7: a package is given back in full, and the wallet answers for what was held and used of it", async () => {
  const { tenant, packageId, hold, release, credit: now } = await scene("0.00");
  await hold("running", "40.00");
  const packages = new Map([[packageId, parseFen("25.00")]]);
  const wallet = parseFen("0.00");
  await db.tenant(tenant, (tx) => setProvisional(tx, tenant, { wallet, packages }));
  await db.tenant(tenant, (tx) => refundPackage(tx, tenant, { packageId, at }));
  expect(await now()).toMatchObject({ balance: 100_000n, provisional: 2500n, available: 93_500n });
  const ask = { reference: "all of it", amount: parseFen("1000.00"), reason: "asked for", at };
  expect(await db.tenant(tenant, (tx) => payOut(tx, tenant, ask))).toMatchObject({
    kind: "insufficient",
    available: 93_500n,
  });
  await release("running");
  expect(await now()).toMatchObject({ available: 97_500n });
});

test("R-PKG-6: so it does when a package is forfeited under a hold", async () => {
  const { tenant, packageId, hold, release, credit: now } = await scene("50.00");
  await hold("running", "40.00");
  await db.tenant(tenant, (tx) => expirePackage(tx, tenant, packageId));
  expect(await now()).toMatchObject({ balance: 5000n, available: 1000n });
  await release("running");
  expect(await now()).toMatchObject({ available: 5000n });
  expect(await checkLedger(db)).toEqual([]);
});

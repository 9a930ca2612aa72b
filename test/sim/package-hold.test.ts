/** Work that a package backs: admitted without money, refused without either, and nothing held after. */
import { expect, test } from "vitest";
import { v7 as uuid } from "uuid";

import { heldForNothing } from "#orders/held-for-nothing.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { lookAt } from "#dunning/loop.ts";
import { requireMeans } from "#dunning/require.ts";
import { standingOf } from "#dunning/store.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import type { NewWork } from "#flow/admit/work.ts";
import { endRequest } from "#flow/admit/requests.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { packageRoom } from "#flow/ledger/package-holds.ts";
import { buyPackage, refundPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { addTenant, lease, rent, type TestTenant } from "./cloud.ts";

const { db } = await testDatabase();
const at = Date.parse("2026-05-04T10:00:00Z");
const day = localDay("2026-05-04");

function job(tenant: TestTenant, hourly: string): NewWork {
  return lease(tenant, {
    kind: "job",
    name: "train",
    workload: {
      command: ["/bin/true"],
      script: null,
      environment: {},
      inputs: [],
      framework: "none",
      timeLimitSeconds: 7200,
      platformRetriesMax: 0,
      preemptible: false,
      checkpoint: null,
    },
    price: { hourly: parseFen(hourly), shown: { hourly } },
    at,
  });
}

test("P-03, R-PKG-5: a package alone lets jobs start, and no lease; neither can, and nothing starts", async () => {
  const tenant = await addTenant(db, "packaged");
  const { tenantId } = tenant;
  await db.tenant(tenantId, async (tx) => {
    const price = parseFen("1000.00");
    await recordTopUp(tx, tenantId, { reference: "r", amount: price, at });
    await buyPackage(tx, tenantId, {
      packageId: uuid(),
      code: "P1000",
      price,
      bonus: parseFen("50.00"),
      usableFrom: day,
      usableThrough: day,
      expiresAt: dayStart(billingZone, localDay("2026-05-05")),
      at,
    });
  });
  const first = await rent(db, job(tenant, "600.00"), ledgerCredit);
  expect(await packageRoom(db, tenantId, at)).toBe(45_000n);
  await expect(rent(db, job(tenant, "600.00"), ledgerCredit)).rejects.toMatchObject({
    code: "insufficient_credit",
    details: { available: "450.00" },
  });
  const vm = lease(tenant, { price: { hourly: parseFen("0.01"), shown: {} }, at });
  await expect(rent(db, vm, ledgerCredit)).rejects.toMatchObject({ code: "insufficient_credit" });
  // Both together: 450.00 of the package and 150.00 of the wallet.
  await db.tenant(tenantId, (tx) =>
    recordTopUp(tx, tenantId, { reference: "more", amount: parseFen("150.00"), at }),
  );
  const second = await rent(db, job(tenant, "600.00"), ledgerCredit);
  expect(await credit(db, tenantId)).toMatchObject({ available: 0n, held: 15_000n });
  expect(await heldForNothing(db)).toEqual([]);
  for (const id of [first, second]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await db.tenant(tenantId, (tx) => endRequest(tx, { tenantId, id, at, reason: null }));
  }
  expect(await packageRoom(db, tenantId, at)).toBe(105_000n);
  expect(await credit(db, tenantId)).toMatchObject({ available: 15_000n, held: 0n });
  expect(await heldForNothing(db)).toEqual([]);
});

test("R-PKG-5, R-PKG-7: while a package pays, nothing is stopped; given back, its money pays on", async () => {
  const tenant = await addTenant(db, "on-package");
  const { tenantId } = tenant;
  const packageId = uuid();
  await db.tenant(tenantId, async (tx) => {
    const price = parseFen("1000.00");
    await recordTopUp(tx, tenantId, { reference: "r", amount: price, at });
    await buyPackage(tx, tenantId, {
      packageId,
      code: "P1000",
      price,
      bonus: parseFen("50.00"),
      usableFrom: day,
      usableThrough: localDay("2026-08-04"),
      expiresAt: dayStart(billingZone, localDay("2026-08-05")),
      at,
    });
  });
  await rent(db, job(tenant, "10.00"), ledgerCredit);
  const stands = async (): Promise<string | undefined> => {
    await lookAt(db, { tenantId, rules: defaultProfile.dunning, now: at });
    return (await standingOf(db, tenantId))?.stage;
  };
  expect(await stands()).toBe("ok");
  await db.tenant(tenantId, (tx) => refundPackage(tx, tenantId, { packageId, at }));
  expect(await credit(db, tenantId)).toMatchObject({ uncovered: 1000n, available: 99_000n });
  expect(await stands()).toBe("ok");
  await requireMeans(db, { tenantId, kind: "job" });
});

test("money that is held for what has ended is found", async () => {
  const tenant = await addTenant(db, "forgotten");
  const { tenantId } = tenant;
  await db.tenant(tenantId, async (tx) => {
    await recordTopUp(tx, tenantId, { reference: "r", amount: parseFen("10.00"), at });
    const purse = await ledgerCredit.open(tx, { tenantId, kind: "lease", at });
    purse.hold(uuid(), parseFen("4.00"));
    await purse.settle();
  });
  expect(await heldForNothing(db)).toEqual([
    { tenantId, problem: "4.00 is held, and 0.00 of it for something" },
  ]);
});

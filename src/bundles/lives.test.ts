/**
 * Bundles of random lives: whatever came in whatever order, early or late, in zones with long and short
 * days, the bill of every month is proved, and replaying it on the server makes the same bytes.
 */
import { buffer } from "node:stream/consumers";

import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { buyPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { eventsWhere } from "#flow/meter/event-rows.ts";
import { insertEvents, type EventDraft } from "#flow/meter/event-store.ts";
import { addDays, dayOf, localDay, localMonth, type LocalMonth } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { timeZone, type TimeZone } from "#kernel/zone.ts";
import { formatKey } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { testDatabase } from "#test/database.ts";
import { randomFrom, seeds, type Random } from "#test/sim/random.ts";
import { verifyBundle, type Verdict } from "#verify/verify.ts";

import { exportBundle } from "./export.ts";
import { replayMonth } from "./replay.ts";
import { newCustomer, signer, type Billed } from "./sample.ts";

const { db } = await testDatabase();
const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
const hourMs = 3_600_000;

async function verdictOf({ tenantId }: Billed, month: LocalMonth): Promise<Verdict> {
  const chunks = await exportBundle(db, { tenantId, month, keptSize: undefined });
  const trust = { key: formatKey(signer.key), checkpoint: undefined };
  return verifyBundle(new Uint8Array(await buffer(chunks)), { crypto, trust });
}

const skus = ["gpu.T4", "gpu.A100", "cpu.core", "mem.gib", "storage"] as const;

async function useAnything(of: Billed, random: Random, at: number): Promise<void> {
  const sku = random.pick(skus);
  const from = at - random.below(72 * 3600) * 1000;
  const until = from + (1 + random.below(60 * 3600)) * 1000;
  const units = sku === "storage" ? BigInt(1 + random.below(2 ** 40)) : BigInt(1 + random.below(9));
  await of.use({
    sku,
    units,
    slice: sku.startsWith("gpu.") ? random.pick([1, 4, 8]) : 1,
    from,
    until: until > at ? null : until,
    work: random.pick(["lease", "job"]),
    plan: random.pick(["on_demand", "on_demand", "subscription"]),
    billable: random.chance(0.9),
  });
}

/** What was left open ends, some of it as a fault. */
async function endSome(of: Billed, random: Random, at: number): Promise<void> {
  await db.execute(sql`
    update usage_interval set ended_at = greatest(started_at, ${new Date(at)}), end_reason = 'stopped',
      billable = billable and ${random.chance(0.8)}::bool
    where tenant_id = ${of.tenantId} and ended_at is null and ${random.chance(0.7)}::bool`);
}

/** An event that stands is taken back, now and then twice as late as it may be. */
async function takeOneBack(of: Billed, random: Random, at: number): Promise<void> {
  const events = await eventsWhere(db, {
    where: sql`e.tenant_id = ${of.tenantId} and e.kind = 'recorded' and e.source <> '/millrace/meter'
      and not exists (select from usage_event r where r.source = e.source and r.retracts = e.id)`,
    limit: 50,
  });
  const found = random.maybePick(events);
  if (found === undefined) return;
  const { event, use, day, counted } = found;
  const retracted = {
    kind: "retracted",
    source: event.source,
    id: `${event.id}/back`,
    at,
    tenantId: of.tenantId,
    retracts: event.id,
    reason: "corrected",
  } as const;
  await db.transaction((tx) => insertEvents(tx, [{ event: retracted, use, day, counted }], at));
}

/** Of a meter that is not ours, in one local day. */
async function tellFromOutside(of: Billed, random: Random, at: number): Promise<void> {
  const id = newId();
  const until = Math.floor(at / hourMs) * hourMs;
  const from = until - 900_000;
  const use = {
    tenantId: of.tenantId,
    projectId: id,
    requestId: id,
    instanceId: id,
    intervalId: id,
    work: random.pick(["lease", "job"] as const),
    plan: "on_demand",
    sku: "gpu.T4",
    units: 3n,
    slice: 1,
    from,
    until,
    billable: true,
    reason: null,
  } as const;
  const event = { kind: "recorded", source: "/elsewhere", id, at: until, ...use } as const;
  const counted = random.chance(0.9);
  const draft: EventDraft = { event, use, day: dayOf(of.zone, from), counted };
  await db.transaction((tx) => insertEvents(tx, [draft], at));
}

async function live(zone: TimeZone, seed: number): Promise<Billed> {
  const random = randomFrom(seed);
  const of = await newCustomer(
    db,
    `life-${seed}-${zone.toLowerCase().replaceAll(/[^a-z]/g, "-")}`,
    zone,
  );
  const { tenantId, at } = of;
  await db.tenant(tenantId, async (tx) => {
    const money = { amount: parseFen("3000.00"), at: at("2026-10-01") };
    await recordTopUp(tx, tenantId, { reference: "first", ...money });
    for (const through of ["2026-10-20", "2026-12-20"]) {
      // oxlint-disable-next-line no-await-in-loop -- two
      await buyPackage(tx, tenantId, {
        packageId: newId(),
        code: "P1000",
        price: parseFen("150.00"),
        bonus: parseFen("7.50"),
        usableFrom: localDay("2026-10-02"),
        usableThrough: localDay(through),
        expiresAt: at(through, 25),
        at: at("2026-10-02"),
      });
    }
  });
  for (let day = localDay("2026-10-05"); day <= "2026-11-14"; day = addDays(day, 1)) {
    const now = at(day, 3) + random.below(20 * 3600) * 1000;
    // oxlint-disable-next-line no-await-in-loop -- day after day
    if (random.chance(0.8)) await useAnything(of, random, now - hourMs);
    // oxlint-disable-next-line no-await-in-loop -- day after day
    if (random.chance(0.5)) await endSome(of, random, now);
    // oxlint-disable-next-line no-await-in-loop -- day after day
    if (random.chance(0.3)) await tellFromOutside(of, random, now);
    // oxlint-disable-next-line no-await-in-loop -- day after day
    if (random.chance(0.2)) await takeOneBack(of, random, now);
    // oxlint-disable-next-line no-await-in-loop -- day after day
    if (random.chance(0.7)) await of.pass(now + 1000);
  }
  await of.pass(at("2026-11-15", 1));
  await of.pass(at("2026-11-15", 2));
  return of;
}

// Berlin's 25 October has 25 hours, Havana's 1 November begins twice.
test.each(["Asia/Shanghai", "Europe/Berlin", "America/Havana"])(
  "MT-04 MT-05: every bill of a random life in %s is proved, and made again byte for byte",
  async (name) => {
    for (const seed of seeds(2)) {
      // oxlint-disable-next-line no-await-in-loop -- life after life
      const of = await live(timeZone(name), seed);
      for (const month of ["2026-10", "2026-11"]) {
        // oxlint-disable-next-line no-await-in-loop -- month after month
        const { failures, bill } = await verdictOf(of, localMonth(month));
        expect({ seed, month, failures }).toEqual({ seed, month, failures: [] });
        expect(bill?.events).toBeGreaterThan(5);
        expect(bill?.remadeSha256).toBe(bill?.statementSha256);
        // oxlint-disable-next-line no-await-in-loop -- month after month
        const replayed = await replayMonth(db, { tenantId: of.tenantId, month: localMonth(month) });
        expect(replayed).toMatchObject({ isProved: true, failures: [] });
      }
    }
  },
  120_000,
);

test("MT-05: a stored bill that was changed is found by the replay, which names the first difference", async () => {
  const of = await newCustomer(db, "changed", timeZone("Asia/Shanghai"));
  await of.use({
    sku: "gpu.T4",
    units: 1n,
    from: of.at("2026-05-04", 1),
    until: of.at("2026-05-04", 3),
  });
  await of.pass(of.at("2026-06-03", 1));
  const ask = { tenantId: of.tenantId, month: localMonth("2026-05") };
  expect(await replayMonth(db, ask)).toMatchObject({ isProved: true, bill: { total: "10.00" } });
  await db.transaction(async (tx) => {
    await tx.execute(sql`alter table charge_line disable trigger charge_line_is_final`);
    await tx.execute(sql`
      update charge_line set amount = 1100, paid_receivable = 1100 where tenant_id = ${of.tenantId}`);
    await tx.execute(sql`alter table charge_line enable trigger charge_line_is_final`);
  });
  const changed = await replayMonth(db, ask);
  expect(changed.failures[0]).toMatchObject({ code: "paid_sum", place: "line 2026-05-04 gpu.T4" });
  await db.transaction(async (tx) => {
    await tx.execute(sql`alter table charge_line disable trigger charge_line_is_final`);
    await tx.execute(sql`
      update charge_line set amount = 1000, paid_receivable = 1000 where tenant_id = ${of.tenantId}`);
    await tx.execute(sql`alter table charge_line enable trigger charge_line_is_final`);
    await tx.execute(sql`alter table invoice disable trigger user`);
    await tx.execute(sql`
      update invoice set document = jsonb_set(document, '{lines,0,amount}', '"11.00"')
      where tenant_id = ${of.tenantId}`);
    await tx.execute(sql`alter table invoice enable trigger user`);
  });
  const { failures } = await replayMonth(db, ask);
  expect(failures.map(({ code, place }) => `${code}: ${place}`)).toEqual([
    expect.stringMatching(/^invoice_hash: invoice MR-2026-05-/),
    "statement_differs: statement, line 1: 2026-05-04 gpu.T4: amount",
  ]);
});

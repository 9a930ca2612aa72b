/**
 * For tests: a customer with a bill that has everything in it: bands, slices, storage, jobs that a
 * package pays, a platform fault, an event taken back, late usage, a price agreed with him, an order
 * and its refund. It runs through the meter, the sequencer, the rater and the closing.
 */
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { closeMonths } from "#flow/invoice/loop.ts";
import { buyPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { eventsWhere } from "#flow/meter/event-rows.ts";
import { insertEvents } from "#flow/meter/event-store.ts";
import { recordLogKey } from "#flow/meter/log-store.ts";
import { sequence, signIfNeeded } from "#flow/meter/sequencer.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { insertItem } from "#orders/items.ts";
import { formatKey, noteKey, type Signer } from "#tlog/keys.ts";
import { nodeSha256, nodeSigningKey } from "#tlog/node-crypto.ts";

export function signerOf(name: string, seedByte: number): Signer {
  const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(seedByte));
  return { key: noteKey(nodeSha256, { name, kind: "log", publicKey }), sign };
}

export const signer = signerOf("example.com/metering", 7);

export interface Billed {
  readonly tenantId: string;
  readonly zone: TimeZone;
  readonly at: (day: string, hours?: number) => number;
  readonly use: (of: Used) => Promise<void>;
  /** What the loops do at that time. */
  readonly pass: (now: number) => Promise<void>;
}

export interface Used {
  readonly sku: string;
  readonly units: bigint;
  readonly slice?: number;
  readonly from: number;
  readonly until: number | null;
  readonly work?: "lease" | "job";
  readonly plan?: "on_demand" | "subscription";
  readonly billable?: boolean;
}

const hourMs = 3_600_000;

/** A customer, on a database that has prices and a log. */
export async function newCustomer(db: Db, name: string, zone: TimeZone): Promise<Billed> {
  await db.transaction(seedPriceProfile);
  await recordLogKey(db, formatKey(signer.key), 0);
  const { tenant } = await db.transaction((tx) => createTenant(tx, { name, now: 0 }));
  const tenantId = tenant.id;
  await db.execute(sql`update tenant set time_zone = ${zone} where id = ${tenantId}`);
  const at = (day: string, hours = 0): number => dayStart(zone, localDay(day)) + hours * hourMs;
  return {
    tenantId,
    zone,
    at,
    use: async (of) => {
      const id = newId();
      await db.execute(sql`
        insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
          slice, started_at, ended_at, end_reason, source_seq, work, plan, billable)
        values (${tenantId}, ${id}, ${id}, ${id}, ${id}, ${of.sku}, ${of.units}, ${of.slice ?? 1},
          ${new Date(of.from)}, ${of.until === null ? null : new Date(of.until)},
          ${of.until === null ? null : "stopped"}, 1, ${of.work ?? "lease"},
          ${of.plan ?? "on_demand"}, ${of.billable ?? true})`);
    },
    pass: async (now) => {
      // oxlint-disable-next-line no-await-in-loop -- batch after batch
      while (await cutDue(db, now));
      await sequence(db);
      await signIfNeeded(db, { signer, now });
      const prices = await loadPriceBook(db);
      await rateTenant({ db, now: () => now, timeZoneOf: async () => zone }, tenantId, prices);
      await closeMonths({ db, now: () => now }, new AbortController().signal);
    },
  };
}

/** May 2026 is closed; June goes on, with late usage of May on its bill. */
export async function liveTwoMonths(db: Db, of: Billed): Promise<void> {
  const { tenantId, at } = of;
  await db.tenant(tenantId, async (tx) => {
    await recordTopUp(tx, tenantId, {
      reference: "first",
      amount: parseFen("2000.00"),
      at: at("2026-05-01"),
    });
    await buyPackage(tx, tenantId, {
      packageId: newId(),
      code: "P1000",
      price: parseFen("100.00"),
      bonus: parseFen("5.00"),
      usableFrom: localDay("2026-05-02"),
      usableThrough: localDay("2026-08-02"),
      expiresAt: at("2026-08-03"),
      at: at("2026-05-02"),
    });
  });
  await db.execute(sql`
    insert into contract_price (tenant_id, sku, from_day, price, reason, created_at)
    values (${tenantId}, 'cpu.core', '2026-05-10', '0.4', 'agreed', now())`);
  // Over a hundred GPU-hours, so into the second band; before the month, through it, and after.
  await of.use({
    sku: "gpu.T4",
    units: 4n,
    from: at("2026-04-30", 20),
    until: at("2026-05-03", 5),
  });
  await of.use({
    sku: "gpu.A10",
    units: 1n,
    slice: 4,
    from: at("2026-05-04", 1),
    until: at("2026-05-04", 4),
  });
  await of.use({
    sku: "cpu.core",
    units: 8n,
    from: at("2026-05-09", 12),
    until: at("2026-05-11", 12),
  });
  await of.use({
    sku: "mem.gib",
    units: 32n,
    from: at("2026-05-09", 12),
    until: at("2026-05-11", 12),
  });
  await of.use({ sku: "storage", units: 500n * 2n ** 30n, from: at("2026-05-20"), until: null });
  await of.use({
    sku: "gpu.A10",
    units: 2n,
    work: "job",
    from: at("2026-05-06", 1),
    until: at("2026-05-06", 4),
  });
  await of.use({
    sku: "gpu.T4",
    units: 1n,
    billable: false,
    from: at("2026-05-07"),
    until: at("2026-05-07", 2),
  });
  await of.use({
    sku: "gpu.T4",
    units: 1n,
    plan: "subscription",
    from: at("2026-05-08"),
    until: at("2026-05-08", 2),
  });
  await of.pass(at("2026-05-04", 5));
  await of.pass(at("2026-05-12", 13));
  await order(db, of);
  await takeBack(db, of);
  await of.pass(at("2026-05-14", 1));
  // Late, of a posted day of the same month: an adjustment on the same bill.
  await of.use({
    sku: "gpu.A10",
    units: 1n,
    work: "job",
    from: at("2026-05-05", 1),
    until: at("2026-05-05", 3),
  });
  await of.use({ sku: "gpu.T4", units: 2n, from: at("2026-05-02", 6), until: at("2026-05-02", 7) });
  await of.pass(at("2026-05-16", 1));
  await of.pass(at("2026-06-03", 1));
  // Late, of a closed month.
  await of.use({ sku: "gpu.T4", units: 2n, from: at("2026-05-15"), until: at("2026-05-15", 3) });
  await of.use({ sku: "gpu.T4", units: 2n, from: at("2026-06-03"), until: at("2026-06-03", 1) });
  await of.pass(at("2026-06-05", 1));
  await of.pass(at("2026-06-07", 1));
}

async function order(db: Db, { tenantId, zone, at }: Billed): Promise<void> {
  const item = {
    kind: "service",
    sku: "support_24x7",
    subjectId: newId(),
    data: { service: "support_24x7" },
    journalKey: null,
    service: undefined,
    isPrepayment: false,
  } as const;
  const id = newId();
  await db.tenant(tenantId, async (tx) => {
    const bought = { tenantId, zone, at: at("2026-05-12", 9) };
    await insertItem(tx, bought, {
      ...item,
      id,
      listPrice: parseFen("3000.00"),
      discounts: [{ rule: "R-VAS-2", amount: parseFen("-500.00") }],
      amount: parseFen("2500.00"),
    });
    await insertItem(
      tx,
      { ...bought, at: at("2026-05-12", 10) },
      {
        ...item,
        id: newId(),
        listPrice: parseFen("-100.00"),
        discounts: [],
        amount: parseFen("-100.00"),
        refundOf: id,
      },
    );
  });
}

/** The slice of 4 May was nothing after all. */
async function takeBack(db: Db, { tenantId, at }: Billed): Promise<void> {
  const [found] = await eventsWhere(db, {
    where: sql`e.tenant_id = ${tenantId} and e.slice = 4`,
    limit: 1,
  });
  if (found === undefined) throw new Error("there is no event of a slice");
  const { event, use, day } = found;
  const now = at("2026-05-13");
  await db.transaction((tx) =>
    insertEvents(
      tx,
      [
        {
          event: {
            kind: "retracted",
            source: event.source,
            id: `${event.id}/retracted`,
            at: now,
            tenantId,
            retracts: event.id,
            reason: "corrected",
          },
          use,
          day,
          counted: true,
        },
      ],
      now,
    ),
  );
}

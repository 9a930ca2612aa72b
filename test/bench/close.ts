/**
 * Month close on the real path: invoices of a month for many tenants from their posted lines, durable
 * as in production. Prints CPU of this process and of PostgreSQL beside the wall time.
 *
 * Issue limits: 10,000 tenants with 900,000 lines at most 30 CPU-seconds, 20,000 tenants at most 2.2
 * times that, closing again at most a tenth, with no new row.
 * `node --conditions=source test/bench/close.ts [tenants]`
 */
import { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { closeMonths } from "#flow/invoice/loop.ts";
import { addDays, dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";

import { benchDatabase, spentText, type BenchDatabase, type Spent } from "./database.ts";

const skus = 3;
const days = 30;
const first = localDay("2026-04-01");
const closeAt = dayStart(billingZone, addDays(first, days)) + 48 * 3_600_000;

interface CloseFigures {
  readonly tenants: number;
  readonly lines: number;
  readonly first: Spent;
  readonly again: Spent;
  readonly invoices: number;
}

async function benchClose({ db, spent }: BenchDatabase, tenants: number): Promise<CloseFigures> {
  await db.transaction(seedPriceProfile);
  const [prices] = await loadPriceBook(db);
  await seed(db, tenants, prices?.id ?? "");
  const context = { db, now: () => closeAt };
  const { signal } = new AbortController();
  const done = await spent(() => closeMonths(context, signal));
  const again = await spent(() => closeMonths(context, signal));
  const { count } = await db.one(
    sql`select count(*)::int as count from invoice`,
    z.object({ count: z.int() }),
  );
  if (count !== tenants || again.result !== 0) {
    throw new Error(`${count} invoices of ${tenants} tenants, ${again.result} written again`);
  }
  const lines = tenants * skus * days;
  return { tenants, lines, first: done.spent, again: again.spent, invoices: count };
}

/** Posted lines of every day and SKU; amounts differ by tenant, day and SKU. */
async function seed(db: Db, tenants: number, profileId: string): Promise<void> {
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    select gen_random_uuid(), 'customer', 'tenant-' || n, 'Tenant ' || n, 'Asia/Shanghai',
      '2026-01-01'
    from generate_series(1, ${tenants}::int) n`);
  await db.execute(sql`
    insert into rating_account (tenant_id, time_zone, posted_through, post_next_at, rated_at,
      rated_from)
    select id, time_zone, ${addDays(first, days - 1)}::date, '2027-01-01', now(), ${first}::date
    from tenant`);
  // A day at a time: a statement ends after 30 s.
  for (let day = 0; day < days; day += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await db.execute(sql`
      insert into charge_line (tenant_id, service_date, sku, quantity, quantity_divisor, unit,
        base_per_unit, list_price, multiplier, amount, paid_wallet, profile_id, billed_month, state,
        posted_at)
      select t.id, ${addDays(first, day)}::date, s.sku, 3600 * (1 + (${day}::int + s.at) % 7), 1,
        s.unit, s.base, s.price, '1', a.amount, a.amount, ${profileId}::uuid, '2026-04', 'posted',
        now()
      from tenant t,
        (values (1, 'gpu.T4', 'GPU-hour', 3600, '5'), (2, 'cpu.core', 'core-hour', 3600, '0.5'),
          (3, 'mem.gib', 'GiB-hour', 3600, '0.1')) s(at, sku, unit, base, price),
        lateral (select 100 + (${day}::int * 7 + s.at * 13 + length(t.name)) % 900) a(amount)`);
  }
  await db.execute(sql`analyze`);
}

function closeText(small: CloseFigures, large: CloseFigures): string {
  const growth = cpuSeconds(large.first) / cpuSeconds(small.first);
  const again = cpuSeconds(small.again) / cpuSeconds(small.first);
  return [
    `month close, ${small.tenants} tenants, ${small.lines} lines: ${spentText(small.first)} (limit 30 CPU-s)`,
    `month close, ${large.tenants} tenants, ${large.lines} lines: ${spentText(large.first)}, ${growth.toFixed(2)} x (limit 2.2)`,
    `closing again: ${spentText(small.again)}, ${again.toFixed(3)} x (limit 0.1), no new row`,
  ].join("\n");
}

function cpuSeconds({ clientSeconds, databaseSeconds }: Spent): number {
  return clientSeconds + databaseSeconds;
}

/** On an empty database of its own. */
async function figuresOf(tenants: number): Promise<CloseFigures> {
  const bench = await benchDatabase();
  try {
    return await benchClose(bench, tenants);
  } finally {
    await bench.remove();
  }
}

if (import.meta.main) {
  const tenants = Number(process.argv[2] ?? 10_000);
  const small = await figuresOf(tenants);
  process.stdout.write(`${closeText(small, await figuresOf(2 * tenants))}\n`);
}

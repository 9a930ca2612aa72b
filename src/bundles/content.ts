/**
 * What a month's bundle consists of, read at one moment; the events themselves follow page by page
 * (export.ts), since they never change.
 */
import { z } from "zod";

import { findPriceProfile, loadPriceBook, type PriceBook } from "#catalog/price-profiles.ts";
import { dimensionOf } from "#catalog/sku.ts";
import { tiersAt } from "#customers/tier-store.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { composeStatement } from "#flow/invoice/compose.ts";
import { documentOf, findInvoice, invoiceDocument, type Invoice } from "#flow/invoice/invoices.ts";
import { leavesOfLines } from "#flow/invoice/leaves.ts";
import { checkpointNow, spanOf } from "#flow/invoice/statements.ts";
import {
  checkpointBefore,
  checkpointCovering,
  latestCheckpoint,
  logKey,
  type StoredCheckpoint,
} from "#flow/meter/log-store.ts";
import { lastReceivedOf } from "#flow/rate/charge-lines.ts";
import { contractPrices, type RecordedContractPrice } from "#flow/rate/contracts.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import {
  dayStart,
  firstDay,
  isLocalDay,
  localDay,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { billingZone, isTimeZone, timeZone, type TimeZone } from "#kernel/zone.ts";
import { itemsOfMonth, type OrderItem } from "#orders/items.ts";

import { fundsBefore, type Funding } from "./funds.ts";
import { assignLeaves, leavesOfBill, type Assigned, type EventLeaf } from "./leaves.ts";
import { daysOf, linesOfBill } from "./lines.ts";

export interface Content {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly month: LocalMonth;
  readonly zone: TimeZone;
  readonly ratedFrom: LocalDay | null;
  /** `undefined` while the month is not closed. */
  readonly invoice: Invoice | undefined;
  readonly statement: Readonly<Record<string, unknown>>;
  readonly lines: readonly ChargeLine[];
  readonly items: readonly OrderItem[];
  readonly profiles: readonly ProfileBody[];
  readonly contracts: readonly RecordedContractPrice[];
  readonly tiers: readonly {
    readonly from: LocalDay;
    readonly tier: "normal" | "gold" | "diamond";
  }[];
  readonly funding: Funding;
  readonly key: string | undefined;
  /** By size: the bill before's, the bill's own, the newest. */
  readonly checkpoints: readonly StoredCheckpoint[];
  readonly leaves: readonly EventLeaf[];
  readonly assigned: Assigned;
}

export interface ProfileBody {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly activeFrom: LocalDay;
  readonly body: Readonly<Record<string, unknown>>;
}

const statementSchema = z.record(z.string(), z.unknown());
const withCheckpoint = z.looseObject({ checkpoint: z.object({ size: z.int() }).nullable() });

/** Throws `invalid_request` for a month before there were prices. */
export async function readContent(
  db: Queryable,
  { tenantId, month }: { readonly tenantId: string; readonly month: LocalMonth },
): Promise<Content> {
  const { name, zone, ratedFrom } = await accountOf(db, tenantId);
  const tenant = { id: tenantId, name };
  const { billed, all, earlier } = await linesOfBill(db, { tenantId, month });
  const items = (await itemsOfMonth(db, { tenantId, month })).filter((each) => !each.isPrepayment);
  const book = await loadPriceBook(db);
  const invoice = await invoiceOf(db, tenantId, month);
  const range = { kind: "billed", month } as const;
  const statement =
    invoice === undefined
      ? composeStatement(
          book,
          { tenant, timeZone: zone, range },
          {
            lines: billed.map((line) => ({ ...line, isPosted: line.postedAt !== undefined })),
            items,
            leavesOf: (
              await leavesOfLines(db, { tenantIds: [tenantId], ...spanOf(range, billed) })
            )(tenantId),
            checkpoint: await checkpointNow(db),
          },
        )
      : await invoiceDocument(db, tenantId, invoice.id);
  const monthStart = dayStart(zone, firstDay(month));
  const checkpoints = await checkpointsOf(db, { tenantId, month, monthStart, statement });
  const logSize = checkpoints.at(-1)?.size ?? 0;
  const leaves = await leavesOfBill(db, { tenantId, month, earlier, logSize });
  const days = [...new Set(all.map(({ serviceDay }) => serviceDay))].toSorted();
  return {
    tenant,
    month,
    zone,
    ratedFrom,
    invoice,
    // As it is written in the bundle and on the invoice: its canonical form.
    statement: statementSchema.parse(JSON.parse(documentOf(statement).text)),
    lines: all,
    items,
    profiles: await profilesOf(db, book, { from: days[0] ?? firstDay(month), month }),
    contracts: await contractPrices(db, tenantId),
    tiers: await tiersOf(db, { tenantId, zone, lines: all }),
    funding: await fundsBefore(db, tenantId),
    key: await logKey(db),
    checkpoints,
    leaves,
    assigned: assignLeaves(leaves, all, await lastReceivedOf(db, tenantId, all)),
  };
}

const accountRow = z.object({
  time_zone: z.string(),
  rated_from: z
    .string()
    .refine(isLocalDay)
    .transform((text) => localDay(text)),
});

/** His bills have the zone that his first rating froze. */
async function accountOf(
  db: Queryable,
  tenantId: string,
): Promise<{
  readonly name: string;
  readonly zone: TimeZone;
  readonly ratedFrom: LocalDay | null;
}> {
  const tenant = present(await findTenant(db, tenantId), "the tenant of the caller");
  const rated = await db.maybe(
    sql`select time_zone, rated_from::text from rating_account where tenant_id = ${tenantId}`,
    accountRow,
  );
  const name = rated?.time_zone ?? tenant.timeZone;
  return {
    name: tenant.displayName,
    zone: isTimeZone(name) ? timeZone(name) : billingZone,
    ratedFrom: rated?.rated_from ?? null,
  };
}

export async function invoiceOf(
  db: Queryable,
  tenantId: string,
  month: LocalMonth,
): Promise<Invoice | undefined> {
  const row = await db.maybe(
    sql`select id from invoice
      where tenant_id = ${tenantId} and kind = 'monthly' and period = ${month}`,
    z.object({ id: z.string() }),
  );
  return row === undefined ? undefined : findInvoice(db, tenantId, row.id);
}

/** That of the bill before, of this one, and the newest, as far as there are any. */
async function checkpointsOf(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly month: LocalMonth;
    readonly monthStart: number;
    readonly statement: unknown;
  },
): Promise<StoredCheckpoint[]> {
  const before = await db.maybe(
    sql`select document from invoice
      where tenant_id = ${of.tenantId} and kind = 'monthly' and period < ${of.month}
      order by period desc limit 1`,
    z.object({ document: z.unknown() }),
  );
  const sizes = [before?.document, of.statement].map((each) => sizeIn(each));
  const found = [
    await latestCheckpoint(db),
    // Of a first bill: what the log was when its month began.
    before === undefined ? await checkpointBefore(db, of.monthStart) : undefined,
  ];
  for (const size of sizes) {
    // oxlint-disable-next-line no-await-in-loop -- two
    if (size !== undefined) found.push(await checkpointCovering(db, size));
  }
  const bySize = new Map(found.flatMap((each) => (each === undefined ? [] : [[each.size, each]])));
  return [...bySize.values()].toSorted((a, b) => a.size - b.size);
}

function sizeIn(statement: unknown): number | undefined {
  const parsed = withCheckpoint.safeParse(statement);
  return parsed.success ? parsed.data.checkpoint?.size : undefined;
}

/** The versions that were in force on a day of the lines or the month. */
async function profilesOf(
  db: Queryable,
  book: PriceBook,
  of: { readonly from: LocalDay; readonly month: LocalMonth },
): Promise<ProfileBody[]> {
  const { through } = daysOf(of.month);
  const first = firstDay(of.month);
  const from = of.from < first ? of.from : first;
  const profiles: ProfileBody[] = [];
  for (const [index, { id, activeFrom }] of book.entries()) {
    const next = book[index + 1]?.activeFrom;
    if (activeFrom > through || (next !== undefined && next <= from)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one connection; one or two
    const found = present(await findPriceProfile(db, id), "a price profile in force");
    const { name, version, body } = found;
    profiles.push({ id, name, version, activeFrom, body });
  }
  if (profiles.length > 0) return profiles;
  throw new Failure("invalid_request", `There were no prices yet in ${of.month}.`);
}

/** Where it changes; it matters for storage only. */
async function tiersOf(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly zone: TimeZone;
    readonly lines: readonly ChargeLine[];
  },
): Promise<Content["tiers"]> {
  const storage = of.lines.filter(({ sku }) => dimensionOf(sku) === "storage");
  const days = [...new Set(storage.map(({ serviceDay }) => serviceDay))].toSorted();
  const starts = days.map((day) => dayStart(of.zone, day));
  const tiers = await tiersAt(db, of.tenantId, starts);
  const changes: { from: LocalDay; tier: "normal" | "gold" | "diamond" }[] = [];
  for (const [index, from] of days.entries()) {
    const tier = tiers.get(starts[index] ?? 0) ?? "normal";
    if (tier !== (changes.at(-1)?.tier ?? "normal")) changes.push({ from, tier });
  }
  return changes;
}

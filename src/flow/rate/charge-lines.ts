/**
 * Rows of `charge_line`. What must stay true: a posted line is never written again (the database
 * refuses it), and provisional lines are replaced as a whole.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import type { PackageShare } from "#flow/ledger/charges.ts";
import {
  isLocalDay,
  isLocalMonth,
  localDay,
  localMonth,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { fen, sumFen, type Fen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";

import type { ChargeLine } from "./lines.ts";

const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));
const month = z
  .string()
  .refine(isLocalMonth)
  .transform((text) => localMonth(text));
const amount = z.bigint().transform((value) => fen(value));

/** In JSON, fen are text: a number there may be a float. */
const shareJson = z
  .object({
    id: z.string(),
    principal: z.string(),
    bonus: z.string(),
    ended: z.boolean().default(false),
  })
  .transform(({ id, principal, bonus, ended }) => ({
    share: { packageId: id, principal: fen(BigInt(principal)), bonus: fen(BigInt(bonus)) },
    ended,
  }));

const rowShape = z.object({
  service_date: day,
  sku: z.string(),
  revision: z.int(),
  quantity: z.string(),
  quantity_divisor: z.string(),
  job_quantity: z.string(),
  job_quantity_divisor: z.string(),
  unit: z.string(),
  base_per_unit: z.string(),
  list_price: z.string(),
  price_source: z.enum(["list", "contract"]),
  multiplier: z.string(),
  amount,
  job_amount: amount,
  paid_wallet: amount,
  paid_receivable: amount,
  paid_promotion: amount,
  packages: z.array(shareJson),
  profile_id: z.string(),
  billed_month: month,
  posted_at: instant.nullable(),
});

const lineRow = rowShape.transform(lineOf);
function lineOf(row: z.output<typeof rowShape>): ChargeLine {
  return {
    serviceDay: row.service_date,
    sku: row.sku,
    revision: row.revision,
    quantity: rational(BigInt(row.quantity), BigInt(row.quantity_divisor)),
    jobQuantity: rational(BigInt(row.job_quantity), BigInt(row.job_quantity_divisor)),
    unit: row.unit,
    basePerUnit: BigInt(row.base_per_unit),
    listPrice: row.list_price,
    priceSource: row.price_source,
    multiplier: row.multiplier,
    amount: row.amount,
    jobAmount: row.job_amount,
    profileId: row.profile_id,
    billedMonth: row.billed_month,
    postedAt: row.posted_at ?? undefined,
    paid: {
      packages: row.packages.filter(({ ended }) => !ended).map(({ share }) => share),
      ended: row.packages.filter(({ ended }) => ended).map(({ share }) => share),
      wallet: row.paid_wallet,
      receivable: row.paid_receivable,
      promotion: row.paid_promotion,
    },
  };
}

const lineColumns = sql`service_date::text, sku, revision, quantity::text, quantity_divisor::text,
  job_quantity::text, job_quantity_divisor::text, unit, base_per_unit::text, list_price,
  price_source, multiplier, amount, job_amount, paid_wallet, paid_receivable, paid_promotion,
  packages, profile_id, billed_month, posted_at`;

export type LineRange =
  /** Of the local days, both included. */
  | { readonly kind: "days"; readonly from: LocalDay; readonly through: LocalDay }
  /** On the invoice of the month. */
  | { readonly kind: "billed"; readonly month: LocalMonth };

/** By day, SKU and revision. */
export function chargeLines(
  db: Queryable,
  tenantId: string,
  range: LineRange,
): Promise<ChargeLine[]> {
  const which =
    range.kind === "days"
      ? sql`service_date between ${range.from}::date and ${range.through}::date`
      : sql`billed_month = ${range.month}`;
  return readLines(db, tenantId, which);
}

/** Posted lines of the days from `from` on; what adjustments and running totals start from. */
export function postedSince(
  db: Queryable,
  tenantId: string,
  from: LocalDay,
): Promise<ChargeLine[]> {
  return readLines(db, tenantId, sql`state = 'posted' and service_date >= ${from}::date`);
}

/** What a bill shows of a line. */
export type BilledLine = Pick<
  ChargeLine,
  | "serviceDay"
  | "sku"
  | "revision"
  | "quantity"
  | "unit"
  | "basePerUnit"
  | "listPrice"
  | "multiplier"
  | "amount"
  | "profileId"
> & { readonly paid: Omit<ChargeLine["paid"], "ended">; readonly isPosted: boolean };

const billedRow = z
  .object({
    tenant_id: z.string(),
    service_date: day,
    sku: z.string(),
    revision: z.int(),
    quantity: z.string(),
    quantity_divisor: z.string(),
    unit: z.string(),
    base_per_unit: z.string(),
    list_price: z.string(),
    multiplier: z.string(),
    amount,
    paid_wallet: amount,
    paid_receivable: amount,
    paid_promotion: amount,
    packages: z.array(shareJson).nullable(),
    profile_id: z.string(),
    state: z.enum(["provisional", "posted"]),
  })
  .transform((row): { readonly tenantId: string; readonly line: BilledLine } => ({
    tenantId: row.tenant_id,
    line: {
      serviceDay: row.service_date,
      sku: row.sku,
      revision: row.revision,
      quantity: rational(BigInt(row.quantity), BigInt(row.quantity_divisor)),
      unit: row.unit,
      basePerUnit: BigInt(row.base_per_unit),
      listPrice: row.list_price,
      multiplier: row.multiplier,
      amount: row.amount,
      profileId: row.profile_id,
      isPosted: row.state === "posted",
      paid: {
        packages: (row.packages ?? []).filter(({ ended }) => !ended).map(({ share }) => share),
        wallet: row.paid_wallet,
        receivable: row.paid_receivable,
        promotion: row.paid_promotion,
      },
    },
  }));

/** Of many tenants at once: what the month's invoice has or will have, by day, SKU and revision. */
export async function billedLines(
  db: Queryable,
  {
    month: billed,
    tenantIds,
  }: { readonly month: LocalMonth; readonly tenantIds: readonly string[] },
): Promise<ReadonlyMap<string, readonly BilledLine[]>> {
  const rows = await db.rows(
    sql`select tenant_id, service_date::text, sku, revision, quantity::text,
        quantity_divisor::text, unit, base_per_unit::text, list_price, multiplier, amount,
        paid_wallet, paid_receivable, paid_promotion, nullif(packages, '[]') as packages,
        profile_id, state
      from charge_line
      where tenant_id = any(${tenantIds}::uuid[]) and billed_month = ${billed}
      order by tenant_id, service_date, sku, revision`,
    billedRow,
  );
  const byTenant = new Map<string, BilledLine[]>();
  for (const { tenantId, line } of rows) {
    const lines = byTenant.get(tenantId);
    if (lines === undefined) byTenant.set(tenantId, [line]);
    else lines.push(line);
  }
  return byTenant;
}

function readLines(db: Queryable, tenantId: string, which: Sql): Promise<ChargeLine[]> {
  return db.rows(
    sql`select ${lineColumns} from charge_line
      where tenant_id = ${tenantId} and ${which} order by service_date, sku, revision`,
    lineRow,
  );
}

/** Replaces the provisional lines by these; lines that are posted now are among them. */
export async function replaceOpenLines(
  tx: Tx,
  tenantId: string,
  {
    lines,
    receivedThrough,
  }: {
    readonly lines: readonly ChargeLine[];
    /** The last event that those which are posted now rest on (meter/usage-days.ts). */
    readonly receivedThrough: number | undefined;
  },
): Promise<void> {
  await tx.execute(sql`
    delete from charge_line where tenant_id = ${tenantId} and state = 'provisional'`);
  if (lines.length === 0) return;
  const texts = (of: (line: ChargeLine) => string): Sql =>
    sql`${lines.map((line) => of(line))}::text[]`;
  const numbers = (of: (line: ChargeLine) => bigint): Sql =>
    sql`${lines.map((line) => `${of(line)}`)}::numeric[]`;
  await tx.execute(sql`
    insert into charge_line (tenant_id, state, service_date, sku, revision, quantity,
      quantity_divisor, job_quantity, job_quantity_divisor, unit, base_per_unit, list_price,
      price_source, multiplier, amount, job_amount, paid_principal, paid_bonus, paid_wallet,
      paid_receivable, paid_promotion, packages, profile_id, billed_month, posted_at,
      received_through)
    select ${tenantId}::uuid, case when line.posted_at is null then 'provisional' else 'posted' end,
      line.*, case when line.posted_at is null then null else ${receivedThrough ?? null}::int8 end
    from unnest(
      ${lines.map(({ serviceDay }) => serviceDay)}::date[], ${texts(({ sku }) => sku)},
      ${lines.map(({ revision }) => revision)}::int[],
      ${numbers(({ quantity }) => quantity.numerator)},
      ${numbers(({ quantity }) => quantity.denominator)},
      ${numbers(({ jobQuantity }) => jobQuantity.numerator)},
      ${numbers(({ jobQuantity }) => jobQuantity.denominator)},
      ${texts(({ unit }) => unit)}, ${numbers(({ basePerUnit }) => basePerUnit)},
      ${texts(({ listPrice }) => listPrice)}, ${texts(({ priceSource }) => priceSource)},
      ${texts(({ multiplier }) => multiplier)}, ${numbers((line) => line.amount)},
      ${numbers(({ jobAmount }) => jobAmount)}, ${numbers((line) => packagesPaid(line).principal)},
      ${numbers((line) => packagesPaid(line).bonus)}, ${numbers(({ paid }) => paid.wallet)},
      ${numbers(({ paid }) => paid.receivable)}, ${numbers(({ paid }) => paid.promotion)},
      ${lines.map(packagesJson)}::jsonb[], ${lines.map(({ profileId }) => profileId)}::uuid[],
      ${texts(({ billedMonth }) => billedMonth)},
      ${lines.map(({ postedAt }) => (postedAt === undefined ? null : new Date(postedAt)))}::timestamptz[]
    ) as line (service_date, sku, revision, quantity, quantity_divisor, job_quantity,
      job_quantity_divisor, unit, base_per_unit, list_price, price_source, multiplier, amount,
      job_amount, paid_principal, paid_bonus, paid_wallet, paid_receivable, paid_promotion, packages,
      profile_id, billed_month, posted_at)`);
}

export type ReceivedThrough = (
  line: Pick<ChargeLine, "serviceDay" | "sku" | "revision">,
) => number | undefined;

/** The last event that each posted line rests on; `undefined` where that was not kept yet. */
export async function lastReceivedOf(
  db: Queryable,
  tenantId: string,
  lines: readonly ChargeLine[],
): Promise<ReceivedThrough> {
  const days = [...new Set(lines.map(({ serviceDay }) => serviceDay))];
  const rows = await db.rows(
    sql`select service_date::text, sku, revision, received_through from charge_line
      where tenant_id = ${tenantId} and service_date = any(${days}::date[])
        and received_through is not null`,
    z.object({
      service_date: z.string(),
      sku: z.string(),
      revision: z.int(),
      received_through: size,
    }),
  );
  const byLine = new Map(
    rows.map((row) => [`${row.service_date} ${row.sku} ${row.revision}`, row.received_through]),
  );
  return ({ serviceDay, sku, revision }) => byLine.get(`${serviceDay} ${sku} ${revision}`);
}

/** What packages paid of a line, over all of them. */
export function packagesPaid({ paid }: ChargeLine): {
  readonly principal: Fen;
  readonly bonus: Fen;
} {
  return {
    principal: sumFen(paid.packages.map(({ principal }) => principal)),
    bonus: sumFen(paid.packages.map(({ bonus }) => bonus)),
  };
}

function packagesJson({ paid }: ChargeLine): string {
  return JSON.stringify([
    ...paid.packages.map(shareText),
    ...paid.ended.map((share) => ({ ...shareText(share), ended: true })),
  ]);
}

function shareText({ packageId, principal, bonus }: PackageShare): Record<string, string> {
  return { id: packageId, principal: `${principal}`, bonus: `${bonus}` };
}

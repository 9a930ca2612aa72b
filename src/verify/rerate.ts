/**
 * Rates the lines of a bundle again: quantities from the events, prices from the profiles, pass after
 * pass as they were posted, since an adjustment is the difference between two ratings (R-LATE-1).
 * Amounts are worked out here and nowhere believed.
 */
import type { PriceBook } from "#catalog/price-book.ts";
import { parsePriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { baseFeeLine, baseFeeSku } from "#flow/rate/base-fee.ts";
import { adjustmentsFor, rateMonth, type Adjustment } from "#flow/rate/decide.ts";
import type { ChargeLine, RatedLine } from "#flow/rate/lines.ts";
import { adjustmentLine, lineOf } from "#flow/rate/make-lines.ts";
import { priceOn, type TenantPrices } from "#flow/rate/prices.ts";
import type { DayLine } from "#flow/rate/telescope.ts";
import { monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { add, equals, formatRational, subtract, zero, type Rational } from "#kernel/rational.ts";

import type { Findings } from "./findings.ts";
import type { RecordOf } from "./format.ts";
import type { Bundle } from "./read.ts";
import type { Tally } from "./sums.ts";
import type { Usage } from "./usage.ts";

type LineRecord = RecordOf<"line">;

export interface Rerated {
  readonly record: LineRecord;
  readonly line: ChargeLine;
  readonly tally: Tally | undefined;
}

export function lineName({ day, sku, revision }: LineRecord): string {
  return `line ${day} ${sku}${revision === 0 ? "" : ` revision ${revision}`}`;
}

export function rerate(
  bundle: Bundle,
  { usage, prices }: { readonly usage: Usage; readonly prices: TenantPrices },
  findings: Findings,
): Rerated[] {
  const records = distinctLines(bundle, findings);
  sayUnbilled(records, usage, findings);
  const rerated: Rerated[] = [];
  const months = Map.groupBy(records, ({ sku, day }) => `${sku} ${monthOf(day)}`);
  for (const lines of months.values()) {
    const [first] = lines;
    if (first === undefined) continue;
    rerated.push(
      ...(first.sku === baseFeeSku
        ? lines.flatMap((each) => baseFee(bundle, each, prices, findings))
        : new SkuMonth({ first, lines, usage, prices }, findings).rate()),
    );
  }
  return rerated;
}

/** Prices as the bundle has them; profiles that cannot be read are named. */
export function pricesOf(bundle: Bundle, findings: Findings): TenantPrices {
  const book: PriceBook = bundle.all("profile").flatMap((record) => {
    const { id, name, version, activeFrom, body } = record;
    try {
      return [{ id, name, version, activeFrom, profile: parsePriceProfile(body) }];
    } catch (error) {
      const what = error instanceof Error ? error.message.slice(0, 200) : "";
      findings.fail("bad_profile", `price profile ${name} v${version}`, { what });
      return [];
    }
  });
  const tiers = bundle.all("tier");
  return {
    book: book.toSorted((a, b) => (a.activeFrom < b.activeFrom ? -1 : 1)),
    contracts: bundle
      .all("contract")
      .map(({ sku, from, price }) => ({ sku, from, price: price ?? undefined })),
    tierOn: (day): Tier => tiers.findLast(({ from }) => from <= day)?.tier ?? "normal",
  };
}

function distinctLines(bundle: Bundle, findings: Findings): LineRecord[] {
  const known = new Set<string>();
  return bundle.all("line").filter((line) => {
    const name = lineName(line);
    if (known.has(name)) findings.fail("line_twice", name);
    return !known.has(name) && known.add(name).size > 0;
  });
}

/** Usage that is rated and that no line has. */
function sayUnbilled(records: readonly LineRecord[], usage: Usage, findings: Findings): void {
  const billed = new Set(records.map(({ day, sku }) => `${day} ${sku}`));
  for (const { day, sku } of usage.used) {
    if (billed.has(`${day} ${sku}`)) continue;
    const quantity = usage.of({ day, sku, revision: 0 })?.quantity ?? zero;
    if (quantity.numerator === 0n) continue;
    const values = { sku, day, quantity: formatRational(quantity) };
    findings.fail("usage_without_line", `${day} ${sku}`, values);
  }
}

function baseFee(
  { header }: Bundle,
  record: LineRecord,
  { book }: TenantPrices,
  findings: Findings,
): Rerated[] {
  const { ratedFrom } = header;
  const fee =
    ratedFrom === null ? undefined : baseFeeLine({ book, month: monthOf(record.day), ratedFrom });
  if (fee?.serviceDay !== record.day || record.revision !== 0) {
    findings.fail("line_unrated", lineName(record));
    return [];
  }
  return [{ record, line: chargeLine(fee, record), tally: undefined }];
}

/** One SKU in one month. */
class SkuMonth {
  readonly #sku: string;
  readonly #month: LocalMonth;
  readonly #lines: readonly LineRecord[];
  readonly #usage: Usage;
  readonly #prices: TenantPrices;
  readonly #findings: Findings;
  /** What the lines so far rest on, by day. */
  #known = new Map<LocalDay, Rational>();
  readonly #rated: Rerated[] = [];

  constructor(
    of: {
      readonly first: LineRecord;
      readonly lines: readonly LineRecord[];
      readonly usage: Usage;
      readonly prices: TenantPrices;
    },
    findings: Findings,
  ) {
    this.#sku = of.first.sku;
    this.#month = monthOf(of.first.day);
    this.#lines = of.lines;
    this.#usage = of.usage;
    this.#prices = of.prices;
    this.#findings = findings;
  }

  /** Lines that were posted in one pass have one instant; provisional ones come last. */
  rate(): Rerated[] {
    const passes = Map.groupBy(this.#lines, ({ postedAt }) => postedAt ?? Infinity);
    for (const at of [...passes.keys()].toSorted((a, b) => a - b)) this.#pass(passes.get(at) ?? []);
    return this.#rated;
  }

  #pass(lines: readonly LineRecord[]): void {
    const late = lines.filter(({ revision }) => revision > 0).toSorted(byDay);
    const fresh = lines.filter(({ revision }) => revision === 0).toSorted(byDay);
    const before = this.#known;
    const quantities = new Map(lines.map((line) => [line, this.#quantityOf(line)]));
    const after = new Map(before);
    for (const [line, { quantity }] of quantities) {
      after.set(line.day, add(after.get(line.day) ?? zero, quantity));
    }
    const withLate = new Map([...after].filter(([day]) => !fresh.some((each) => each.day === day)));
    const adjusted = this.#adjust(late, { before, after: withLate });
    const rated = this.#rateAll(after);
    for (const line of fresh) {
      const jobs = quantities.get(line)?.jobQuantity ?? zero;
      const found = rated.find(({ day }) => day === line.day);
      if (found !== undefined) this.#keep(line, lineOf(this.#context(line), found, jobs));
    }
    for (const line of late) {
      const found = adjusted.find(({ serviceDay }) => serviceDay === line.day);
      if (found === undefined) continue;
      const jobs = add(this.#jobsBefore(line.day), quantities.get(line)?.jobQuantity ?? zero);
      this.#keep(line, adjustmentLine(this.#context(line), found, jobs));
    }
    this.#known = after;
  }

  #rateAll(days: ReadonlyMap<LocalDay, Rational>): readonly DayLine[] {
    const rated = rateMonth({ ...this.#what(), days });
    if (rated.kind === "rated") return rated.lines;
    this.#unpriced(rated.day);
    return [];
  }

  #adjust(
    late: readonly LineRecord[],
    days: {
      readonly before: ReadonlyMap<LocalDay, Rational>;
      readonly after: ReadonlyMap<LocalDay, Rational>;
    },
  ): readonly Adjustment[] {
    const [first] = late;
    const last = [...days.after.keys()].toSorted().at(-1);
    if (first === undefined || last === undefined) return [];
    const adjusted = adjustmentsFor({
      ...this.#what(),
      days: days.after,
      posted: days.before,
      postedThrough: last,
      adjustableFrom: first.day,
      moved: new Set(late.map(({ day }) => day)),
    });
    if (adjusted.kind === "adjusted") return adjusted.adjustments;
    this.#unpriced(adjusted.day);
    return [];
  }

  #what() {
    return {
      sku: this.#sku,
      month: this.#month,
      priceOf: (sku: string, day: LocalDay) => priceOn(this.#prices, sku, day),
    };
  }

  #unpriced(day: LocalDay): void {
    this.#findings.fail("no_price", `price of ${this.#sku}`, { sku: this.#sku, day });
  }

  /** From the events; of a provisional line, what goes on besides. */
  #quantityOf(record: LineRecord): { quantity: Rational; jobQuantity: Rational } {
    const tally = this.#usage.of(record);
    const quantity = tally?.quantity ?? zero;
    const jobQuantity = tally?.jobQuantity ?? zero;
    if (record.postedAt !== null || record.quantity === undefined) return { quantity, jobQuantity };
    if (!equals(record.quantity, quantity)) {
      this.#findings.note("open_usage", {
        place: lineName(record),
        quantity: formatRational(subtract(record.quantity, quantity)),
        of: formatRational(record.quantity),
      });
    }
    return { quantity: record.quantity, jobQuantity: record.jobQuantity ?? jobQuantity };
  }

  #jobsBefore(day: LocalDay): Rational {
    return this.#rated
      .filter(({ record }) => record.day === day)
      .reduce((sum, { line }) => add(sum, line.jobQuantity), zero);
  }

  #context(record: LineRecord) {
    return {
      prices: this.#prices,
      posted: this.#rated.map(({ line }) => line),
      postedThrough: record.day,
      now: record.postedAt ?? 0,
    };
  }

  #keep(record: LineRecord, line: RatedLine): void {
    this.#rated.push({ record, line: chargeLine(line, record), tally: this.#usage.of(record) });
  }
}

/** With what the bundle says of it: when it was posted, on which bill, and who paid. */
function chargeLine(line: RatedLine, record: LineRecord): ChargeLine {
  const { paid, billedMonth, postedAt, revision } = record;
  const share = ({ id, principal, bonus }: (typeof paid.packages)[number]) => ({
    packageId: id,
    principal,
    bonus,
  });
  return {
    ...line,
    revision,
    billedMonth,
    postedAt: postedAt ?? undefined,
    paid: {
      packages: paid.packages.map(share),
      ended: paid.ended.map(share),
      wallet: paid.wallet,
      receivable: paid.receivable,
      promotion: paid.promotion,
    },
  };
}

function byDay(a: LineRecord, b: LineRecord): number {
  return a.day < b.day ? -1 : 1;
}

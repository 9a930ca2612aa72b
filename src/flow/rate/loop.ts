/**
 * Rates tenants: keeps the provisional lines of days that are not posted up to date, posts days 48
 * hours after their end, and tells the ledger what is still to be charged. A pass may run twice,
 * late, or on two machines: the tenant's rating account is locked, and each posting has a key.
 */
import { Counter } from "prom-client";

import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { lockCredit, setProvisional } from "#flow/ledger/accounts.ts";
import { adjustment, charge, paidFromPurse, type ChargedLine } from "#flow/ledger/charges.ts";
import type { Purse } from "#flow/ledger/journal.ts";
import { bookAll } from "#flow/ledger/store.ts";
import type { UsageInterval } from "#flow/meter/store.ts";
import { addDays, dayOf, dayStart, firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import type { Interval } from "#kernel/interval.ts";
import { addFen, subtractFen } from "#kernel/money.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { totalOf, type Refusal } from "./decide.ts";
import { decidePass, horizonOf } from "./pass.ts";
import {
  closePass,
  firstUsageAt,
  lockRatingAccount,
  openRatingAccount,
  postedSince,
  replaceOpenLines,
  tenantsToRate,
  usageOf,
  type ChargeLine,
  type RatingAccount,
} from "./store.ts";
import { quantitiesByDay, type Usage } from "./usage.ts";

const tenantsPerRead = 200;

export interface RatingContext {
  readonly db: Db;
  readonly observer: Observer;
  readonly now: () => number;
  /** The zone of a tenant's days, asked once: with his first rating it is frozen (R-DAY-2). */
  readonly timeZoneOf: (db: Queryable, tenantId: string) => Promise<TimeZone>;
}

export function rateLoop(context: RatingContext): LoopDefinition {
  const { db, observer, now } = context;
  const refused = new Counter({
    name: "millrace_rate_refusals_total",
    help: "Usage of a SKU without a price, seen by a pass of the rater; it is not charged",
    labelNames: ["sku"],
    registers: [observer.metrics],
  });
  return {
    name: "rate",
    periodMs: 30_000,
    channels: ["usage"],
    pass: async (signal) => {
      const prices = await loadPriceBook(db);
      let after: string | undefined;
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- page after page
        const tenants = await tenantsToRate(db, { now: now(), after, limit: tenantsPerRead });
        for (const tenantId of tenants) {
          if (signal.aborted) return "rest";
          // oxlint-disable-next-line no-await-in-loop -- one tenant at a time
          const refusals = await rateTenant(context, tenantId, prices);
          for (const { sku, day } of refusals) {
            refused.inc({ sku });
            observer.log.error({ tenantId, sku, day }, "usage has no price and is not charged");
          }
        }
        after = tenants.at(-1);
        if (tenants.length < tenantsPerRead) return "rest";
      }
    },
  };
}

/** One pass over one tenant, in one transaction; gives the usage that has no price. */
export async function rateTenant(
  { db, now: clock, timeZoneOf }: Omit<RatingContext, "observer">,
  tenantId: string,
  prices: PriceBook,
): Promise<readonly Refusal[]> {
  return db.tenant(tenantId, async (tx) => {
    const now = clock();
    const account = await accountOf(tx, tenantId, timeZoneOf);
    if (account === undefined) return [];
    const horizon = horizonOf({
      zone: account.timeZone,
      now,
      postedThrough: account.postedThrough,
      lateDaysMax: lateDaysMax(prices, dayOf(account.timeZone, now)),
    });
    const from = dayStart(account.timeZone, horizon.usageFrom);
    const intervals = await usageOf(tx, tenantId, { from, until: Math.max(from, now) });
    const pass = decidePass({
      horizon,
      book: prices,
      usage: quantitiesByDay(
        account.timeZone,
        intervals.flatMap((each) => usageWithin(each, { from, until: now })),
      ),
      posted: await postedSince(tx, tenantId, firstDay(monthOf(horizon.usageFrom))),
      now,
    });
    await replaceOpenLines(tx, tenantId, [...pass.provisional, ...pass.post]);
    await bookPosted(tx, tenantId, { lines: pass.post, at: now });
    await setProvisional(tx, tenantId, totalOf(pass.provisional));
    await closePass(tx, tenantId, {
      postedThrough: horizon.postThrough,
      postNextAt: horizon.postNextAt,
      now,
    });
    return pass.refusals;
  });
}

/** Opened at the tenant's first usage; `undefined` if he has used nothing yet. */
async function accountOf(
  tx: Tx,
  tenantId: string,
  timeZoneOf: RatingContext["timeZoneOf"],
): Promise<RatingAccount | undefined> {
  const known = await lockRatingAccount(tx, tenantId);
  if (known !== undefined) return known;
  const first = await firstUsageAt(tx, tenantId);
  if (first === undefined) return undefined;
  const zone = await timeZoneOf(tx, tenantId);
  const postedThrough = addDays(dayOf(zone, first), -1);
  await openRatingAccount(tx, tenantId, { timeZone: zone, postedThrough });
  return lockRatingAccount(tx, tenantId);
}

/**
 * Counted up to now, where it goes on (and where a clock that was set back has yet to come to its
 * end), and from the first day that is looked at.
 */
function usageWithin(interval: UsageInterval, { from, until }: Interval): Usage[] {
  const { id, projectId, sku, units, slice, billable, startedAt, endedAt } = interval;
  const span = { from: Math.max(startedAt, from), until: Math.min(endedAt ?? until, until) };
  if (span.until <= span.from) return [];
  return [{ source: "meter", id, projectId, sku, units, slice, span, billable }];
}

/** Each day's lines as one journal, each adjustment as its own; both with the keys of their facts. */
async function bookPosted(
  tx: Tx,
  tenantId: string,
  { lines, at }: { readonly lines: readonly ChargeLine[]; readonly at: number },
): Promise<void> {
  if (lines.length === 0) return;
  let purse: Purse = await lockCredit(tx, tenantId);
  const paid = (line: ChargeLine): ChargedLine => {
    const charged = { ...line, paid: paidFromPurse(purse, line.amount) };
    purse = {
      wallet: subtractFen(purse.wallet, charged.paid.wallet),
      owed: addFen(purse.owed, charged.paid.receivable),
    };
    return charged;
  };
  const days = new Map<LocalDay, ChargedLine[]>();
  for (const line of lines.filter(({ revision }) => revision === 0)) {
    days.set(line.serviceDay, [...(days.get(line.serviceDay) ?? []), paid(line)]);
  }
  const drafts = [
    ...[...days]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([day, ofDay]) => charge({ day, lines: ofDay })),
    ...lines
      .filter(({ revision }) => revision > 0)
      .map((line) => adjustment({ ...line, line: paid(line) })),
  ];
  const toBook = drafts.flatMap((draft) => (draft === undefined ? [] : [{ draft, at }]));
  if (toBook.length > 0) await bookAll(tx, tenantId, toBook);
}

function lateDaysMax(prices: PriceBook, today: LocalDay): number {
  return pricesOn(prices, today)?.profile.late_usage_max_days ?? 0;
}

/**
 * Rates tenants: keeps the provisional lines of days that are not posted up to date, posts days 48
 * hours after their end, and tells the ledger what is still to be charged. A pass may run twice,
 * late, or on two machines: the tenant's rating account is locked, and each posting has a key.
 */
import { Counter } from "prom-client";

import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { dimensionOf, type Tier } from "#catalog/sku.ts";
import { tiersAt } from "#customers/tier-store.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { lockCredit, openPackages, setProvisional } from "#flow/ledger/accounts.ts";
import { expirePackage } from "#flow/ledger/purchases.ts";
import { bookAll } from "#flow/ledger/store.ts";
import { closeDays, usageAccount } from "#flow/meter/accounts.ts";
import { completeUntil, firstUsage, openUses, usageDays } from "#flow/meter/usage-days.ts";
import { assert, present } from "#kernel/assert.ts";
import { addDays, dayOf, dayStart, firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Observer } from "#observe/observer.ts";

import { postedSince, replaceOpenLines } from "./charge-lines.ts";
import { contractPrices } from "./contracts.ts";
import type { Refusal } from "./decide.ts";
import { horizonOf, isClockBehind, postableAt } from "./horizon.ts";
import { decidePass } from "./pass.ts";
import { payPass } from "./posting.ts";
import {
  closePass,
  lockRatingAccount,
  openRatingAccount,
  postedNear,
  tenantsToRate,
  type RatingAccount,
} from "./store.ts";
import { quantitiesOf } from "./usage.ts";

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
      await sayWhetherClockIsBehind(db, now());
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
  book: PriceBook,
): Promise<readonly Refusal[]> {
  return db.tenant(tenantId, async (tx) => {
    const now = clock();
    const account = await accountOf(tx, tenantId, timeZoneOf);
    if (account === undefined) return [];
    const zone = account.timeZone;
    if (isClockBehind({ zone, ...account }, now)) return [];
    const horizon = horizonOf({
      zone,
      now,
      postedThrough: account.postedThrough,
      lateDaysMax: lateDaysMax(book, dayOf(zone, now)),
      completeUntil: await completeUntil(tx, tenantId),
    });
    // Whatever changes from here on is seen by another pass.
    const metered = await usageAccount(tx, tenantId);
    assert(metered === undefined || metered.timeZone === zone, "a tenant's days are of one zone");
    const metering = await usageDays(tx, tenantId, horizon.usageFrom);
    const { usage, jobUsage } = quantitiesOf(zone, {
      days: metering.days,
      open: await openUses(tx, tenantId),
      until: now,
    });
    const posted = await postedSince(tx, tenantId, firstDay(monthOf(horizon.usageFrom)));
    const storageDays = [
      ...[...usage].flatMap(([sku, days]) => (isStorage(sku) ? [...days.keys()] : [])),
      ...posted.filter(({ sku }) => isStorage(sku)).map(({ serviceDay }) => serviceDay),
    ];
    const pass = decidePass({
      horizon,
      prices: {
        book,
        contracts: await contractPrices(tx, tenantId),
        tierOn: await tiersOf(tx, { tenantId, zone, days: storageDays }),
      },
      usage,
      jobUsage,
      posted,
      ratedFrom: account.ratedFrom,
      now,
    });
    // The wallet is locked before its balance decides who pays.
    const purse = await lockCredit(tx, tenantId);
    const packages = await openPackages(tx, tenantId);
    const posting = payPass({ pass, posted, funds: { packages, purse } });
    await replaceOpenLines(tx, tenantId, {
      lines: [...posting.provisional, ...posting.post],
      receivedThrough: metering.receivedThrough,
    });
    const toBook = posting.drafts.map((draft) => ({ draft, at: now }));
    if (toBook.length > 0) await bookAll(tx, tenantId, toBook);
    for (const packageId of posting.expired) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await expirePackage(tx, tenantId, packageId);
    }
    await setProvisional(tx, tenantId, posting.provisionalPaid);
    const [stop] = pass.refusals;
    await closePass(tx, tenantId, {
      postedThrough: pass.postThrough,
      postNextAt: postableAt(zone, addDays(pass.postThrough, 1)),
      now,
      changes: metered?.changes ?? 0n,
      stop,
    });
    await closeDays(tx, tenantId, pass.postThrough);
    await sayWhetherStopped(tx, tenantId, { stop, account, now });
    return pass.refusals;
  });
}

/** An alert while the clock shows a time before days that are posted, which keeps them unrated. */
async function sayWhetherClockIsBehind(db: Db, at: number): Promise<void> {
  const behind = (await postedNear(db, at)).filter((posted) => isClockBehind(posted, at));
  const [first] = behind;
  if (first === undefined) {
    await resolveAlert(db, { key: clockKey, by: "rate", at });
    return;
  }
  const data = {
    now: new Date(at).toISOString(),
    tenant: first.tenantId,
    day: first.postedThrough,
    count: behind.length,
  };
  await raiseAlert(db, {
    key: clockKey,
    kind: "clock_behind",
    severity: "critical",
    data,
    at,
  });
}

const clockKey = "rate-clock";

/** An alert while usage without a price keeps a tenant's days from being posted. */
async function sayWhetherStopped(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly stop: Refusal | undefined;
    readonly account: RatingAccount;
    readonly now: number;
  },
): Promise<void> {
  const { stop, account, now: at } = ask;
  const key = `unpriced:${tenantId}`;
  if (stop !== undefined) {
    const { sku, day } = stop;
    const data = { tenant: tenantId, sku, day };
    await raiseAlert(tx, {
      key,
      kind: "unpriced_usage",
      severity: "critical",
      tenantId,
      data,
      at,
    });
  } else if (account.isStopped) {
    await resolveAlert(tx, { key, by: "rate", at });
  }
}

/** Opened at the tenant's first usage or package; `undefined` if he has neither yet. */
async function accountOf(
  tx: Tx,
  tenantId: string,
  timeZoneOf: RatingContext["timeZoneOf"],
): Promise<RatingAccount | undefined> {
  const known = await lockRatingAccount(tx, tenantId);
  if (known !== undefined) return known;
  const { day, openFrom } = await firstUsage(tx, tenantId);
  const packages = await openPackages(tx, tenantId);
  if (day === undefined && openFrom === undefined && packages.length === 0) return undefined;
  const zone = (await usageAccount(tx, tenantId))?.timeZone ?? (await timeZoneOf(tx, tenantId));
  const days = packages.map(({ usableFrom }) => usableFrom);
  if (day !== undefined) days.push(day);
  if (openFrom !== undefined) days.push(dayOf(zone, openFrom));
  const [ratedFrom] = days.toSorted();
  await openRatingAccount(tx, tenantId, {
    timeZone: zone,
    ratedFrom: present(ratedFrom, "a first day"),
  });
  return lockRatingAccount(tx, tenantId);
}

/** The tier at the first instant of each of these days (R-STO-3). */
async function tiersOf(
  tx: Tx,
  ask: { readonly tenantId: string; readonly zone: TimeZone; readonly days: readonly LocalDay[] },
): Promise<(day: LocalDay) => Tier> {
  const starts = new Map(ask.days.map((day) => [day, dayStart(ask.zone, day)]));
  const tiers = await tiersAt(tx, ask.tenantId, [...starts.values()]);
  return (day) => tiers.get(starts.get(day) ?? 0) ?? "normal";
}

/** The one price that depends on the tier. */
function isStorage(sku: string): boolean {
  return dimensionOf(sku) === "storage";
}

function lateDaysMax(prices: PriceBook, today: LocalDay): number {
  return pricesOn(prices, today)?.profile.late_usage_max_days ?? 0;
}

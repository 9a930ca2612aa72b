/**
 * What time does to packages: reminders before the last day (R-PKG-6), and, where the profile says
 * `extend`, a later last day instead of the end. Forfeiting the rest is the rater's, once the last
 * day is posted, which is two days later: an extension is made before.
 */
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { extendPackage } from "#flow/ledger/purchases.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { addDays, addMonthsClamped, dayOf, dayStart, type LocalDay } from "#kernel/calendar.ts";
import { addFen, formatFen } from "#kernel/money.ts";
import { timeZone, type TimeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import { expiryOf, reminderDue } from "./package-rules.ts";
import { getPackage, type Package } from "./packages.ts";
import { pricesAt } from "./prices.ts";

const packagesPerPassMax = 200;

const dueRow = z
  .object({ tenant_id: z.string(), id: z.string() })
  .transform(({ tenant_id: tenantId, id }) => ({ tenantId, id }));
type Due = z.output<typeof dueRow>;

export function packageLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "packages",
    periodMs: 60_000,
    channels: [],
    pass: async (signal) => {
      const due = await db.rows(
        sql`select tenant_id, id from package where look_at <= ${new Date(now())}
          order by look_at limit ${packagesPerPassMax}`,
        dueRow,
      );
      const failures: unknown[] = [];
      for (const each of due) {
        if (signal.aborted) return "rest";
        try {
          await lookAt(db, each, now());
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, "some packages were not seen to");
      return due.length === packagesPerPassMax ? "again" : "rest";
    },
  };
}

function lookAt(db: Db, { tenantId, id }: Due, now: number): Promise<void> {
  return db.tenant(tenantId, async (tx) => {
    const tenant = present(await findTenant(tx, tenantId), "tenant of a package");
    const zone = timeZone(tenant.timeZone);
    const { profile } = await pricesAt(tx, now);
    const found = await getPackage(tx, { tenantId, id });
    const next = decidePackage({ profile, zone, found, now });
    if (next.extendThrough !== undefined) {
      const usableThrough = next.extendThrough;
      const expiresAt = expiryOf(zone, usableThrough);
      await extendPackage(tx, tenantId, { packageId: id, usableThrough, expiresAt });
      await notify(tx, {
        tenantId,
        key: `package-extended:${id}:${usableThrough}`,
        kind: "package_extended",
        severity: "info",
        data: { package: found.code, date: usableThrough },
        at: now,
      });
    }
    if (next.remind !== undefined) await remind(tx, { tenantId, found, ...next.remind, at: now });
    await tx.execute(sql`
      update package set look_at = ${next.lookAt === undefined ? null : new Date(next.lookAt)}
      where tenant_id = ${tenantId} and id = ${id}`);
  });
}

export interface PackageStep {
  readonly remind?: { readonly days: number };
  readonly extendThrough?: LocalDay;
  /** `undefined` once nothing more is to be done about it. */
  readonly lookAt: number | undefined;
}

/** Pure. On its last day a package is extended, or has had its last reminder. */
export function decidePackage(ask: {
  readonly profile: PriceProfile;
  readonly zone: TimeZone;
  readonly found: Package;
  readonly now: number;
}): PackageStep {
  const { profile, zone, found, now } = ask;
  const { credit } = found;
  if (credit.endedAs !== undefined) return { lookAt: undefined };
  const today = dayOf(zone, now);
  if (profile.on_expiry === "extend" && today >= credit.usableThrough) {
    const months = profile.on_expiry_extend_months;
    let through = credit.usableThrough;
    while (through <= today) through = addMonthsClamped(through, months);
    return { extendThrough: through, lookAt: dayStart(zone, addDays(today, 1)) };
  }
  // Seen to while what it paid for is not posted; a loop that was away may still extend it.
  const days = reminderDue(profile, credit.usableThrough, today);
  const isLeft = addFen(credit.principal, credit.bonus) > 0n && today <= credit.usableThrough;
  return {
    ...(days !== undefined && isLeft ? { remind: { days } } : {}),
    lookAt: dayStart(zone, addDays(today, 1)),
  };
}

async function remind(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly found: Package;
    readonly days: number;
    readonly at: number;
  },
): Promise<void> {
  const { tenantId, found, days, at } = ask;
  const { usableThrough, principal, bonus } = found.credit;
  await notify(tx, {
    tenantId,
    key: `package-expiry:${found.id}:${usableThrough}:${days}`,
    kind: "package_expires",
    severity: days <= 1 ? "warning" : "info",
    data: {
      package: found.code,
      date: usableThrough,
      left: formatFen(addFen(principal, bonus)),
    },
    at,
  });
}

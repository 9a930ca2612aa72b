/**
 * Tells platforms that have a queue of their own what the customers with jobs there are: by tier, or by a
 * package with credit (R-PKG-8), as new work of theirs would queue here. So a quota follows what was
 * bought, ran out or expired without another job. All of it is told each time; nothing is remembered.
 */
import { z } from "zod";

import { queueClass } from "#customers/benefits.ts";
import { classChannel, tierAt } from "#customers/tier-store.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { hasPackageCredit } from "#flow/ledger/package-credit.ts";
import { classOf } from "#flow/queue/store.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Provider, TenantTier } from "#providers/provider.ts";

/** Credit runs out when a day is charged: five minutes later is soon enough. */
const periodMs = 300_000;
/** Of what is bought, given back or set by hand it is nudged; after a midnight many tiers change. */
const pauseMs = 2_000;
/** Of customers with jobs at one site; beyond that the latest comers wait as what they were. */
const tenantsMax = 10_000;

export interface TierContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly now: () => number;
}

export function tellTiersLoop(context: TierContext): LoopDefinition {
  return {
    name: `tiers ${context.provider.site}`,
    periodMs,
    channels: [classChannel],
    pauseMs,
    pass: async (signal) => {
      await context.provider.tellTiers?.({ signal }, await tiersAtSite(context));
      return "rest";
    },
  };
}

const row = z.object({ tenant_id: z.string() });

/** Of whoever has had a job there and still has a project. */
export async function tiersAtSite({
  db,
  provider,
  now,
}: TierContext): Promise<ReadonlyMap<string, TenantTier>> {
  const found = await db.rows(
    sql`select distinct p.tenant_id from project p
      where p.deleted_at is null and exists (select from instance i
        where i.tenant_id = p.tenant_id and i.site = ${provider.site} and i.kind = 'job')
      order by p.tenant_id limit ${tenantsMax}`,
    row,
  );
  const tiers = new Map<string, TenantTier>();
  for (const { tenant_id: tenantId } of found) {
    // oxlint-disable-next-line no-await-in-loop -- two small looks each, now and then
    const tier = await tierAt(db, tenantId, now());
    // oxlint-disable-next-line no-await-in-loop -- as above
    const packageCredit = await hasPackageCredit(db, tenantId);
    tiers.set(tenantId, classOf(queueClass({ tier, packageCredit })));
  }
  return tiers;
}

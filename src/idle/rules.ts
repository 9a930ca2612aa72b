/**
 * The operator's rules: what counts as idle, and what then happens when. One for a flavor, for what runs
 * in a pool (`pool:NAME`), or for all that have none of these (`*`); the first of them that there is
 * holds. Without any, no lease is ever looked at.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { json } from "#db/json.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

export const everyFlavor = "*";
/** Before the name of a pool. */
export const poolScope = "pool:";

const rulesRow = z.object({
  /** Idle for so long: it is warned of. */
  windowHours: z.number(),
  /** Idle for so long after that: it is released. */
  warningHours: z.number(),
  /** The snapshot outlives the lease for so long. */
  keepDays: z.int(),
  /** Less than that of its CPUs is idle. */
  cpuPercent: z.number(),
  networkBytesPerSecond: z.int(),
  gpuPercent: z.number(),
  /** Whether a tenant may take a lease out for good. */
  exemptions: z.enum(["allowed", "refused"]),
});
export type Rules = z.output<typeof rulesRow>;

const policyRow = z
  .object({ scope: z.string(), rules: rulesRow, changed_at: instant })
  .transform(({ changed_at: changedAt, ...rest }) => ({ ...rest, changedAt }));
export type Policy = z.output<typeof policyRow>;

export function policies(db: Queryable): Promise<Policy[]> {
  return db.rows(sql`select scope, rules, changed_at from idle_policy order by scope`, policyRow);
}

export function rulesFor(
  all: readonly Policy[],
  of: { readonly flavor: string; readonly pool: string | null },
): Rules | undefined {
  const scopes = [of.flavor, ...(of.pool === null ? [] : [`${poolScope}${of.pool}`]), everyFlavor];
  const first = scopes.find((scope) => all.some((policy) => policy.scope === scope));
  return all.find(({ scope }) => scope === first)?.rules;
}

export function setPolicy(
  tx: Tx,
  { scope, rules, at }: { readonly scope: string; readonly rules: Rules; readonly at: number },
): Promise<Policy> {
  return tx.one(
    sql`insert into idle_policy (scope, rules, changed_at)
      values (${scope}, ${json(rules)}, ${new Date(at)})
      on conflict (scope) do update set rules = excluded.rules, changed_at = excluded.changed_at
      returning scope, rules, changed_at`,
    policyRow,
  );
}

export async function removePolicy(tx: Tx, scope: string): Promise<void> {
  const removed = await tx.execute(sql`delete from idle_policy where scope = ${scope}`);
  if (removed === 0) throw new Failure("not_found", `There are no idle rules for ${scope}.`);
}

/**
 * Rows of `pool` and `pool_tenant`, and which pool a host belongs to. What must stay true: whatever
 * is on a host is allowed by its pool (or by being outside of all), so a change that would not allow
 * it is refused with what stands in its way. The hosts are locked for that, as by whoever places, and
 * the schema (0181) refuses what comes later.
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import type { createPoolBody, PoolSettings } from "#contract/schemas/pools.ts";
import { brokenConstraint, type Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";

import { flavorsOfPool } from "./flavors.ts";
import { poolNamed, type PoolRow } from "./pool-rows.ts";
import { brokenPoolRules, brokenRulesOfPool, poolPresets, sharedPool } from "./pool-rules.ts";
import { isKept } from "./sites.ts";

export async function addPool(
  tx: Tx,
  { name, preset, ...given }: z.output<typeof createPoolBody>,
): Promise<PoolRow> {
  const base = preset === undefined ? sharedPool : poolPresets[preset];
  const settings = withChange(base, given);
  demandRules(name, brokenPoolRules(settings));
  const id = uuid();
  try {
    await tx.execute(sql`
      insert into pool (id, name, policy, service_class, slices_max, reserve_percent, spread)
      values (${id}, ${name}, ${settings.policy}, ${settings.serviceClass}, ${settings.slicesMax},
        ${settings.reservePercent}, ${settings.spread})`);
  } catch (error) {
    if (brokenConstraint(error) !== "pool_name_key") throw error;
    throw new Failure("conflict", `There is a pool ${name} already; choose another name.`, {
      cause: error,
    });
  }
  await dedicate(tx, id, settings.tenants);
  return poolNamed(tx, name);
}

export type PoolChange = {
  readonly [Field in keyof PoolSettings]?: PoolSettings[Field] | undefined;
};

export async function changePool(tx: Tx, name: string, change: PoolChange): Promise<PoolRow> {
  const { id } = await poolNamed(tx, name);
  await tx.execute(sql`select from host where pool_id = ${id} order by id for no key update`);
  await tx.execute(sql`select from pool where id = ${id} for no key update`);
  const settings = withChange(await poolNamed(tx, name), change);
  const flavors = await flavorsOfPool(tx, name);
  demandRules(name, [
    ...brokenPoolRules(settings),
    ...flavors.flatMap((flavor) =>
      brokenRulesOfPool(flavor, { ...settings, name }).map((reason) => ({
        ...reason,
        message: `the flavor ${flavor.name}: ${reason.message}`,
      })),
    ),
  ]);
  await tx.execute(sql`
    update pool set policy = ${settings.policy}, service_class = ${settings.serviceClass},
      slices_max = ${settings.slicesMax}, reserve_percent = ${settings.reservePercent},
      spread = ${settings.spread}
    where id = ${id}`);
  await dedicate(tx, id, settings.tenants);
  await demandNothingMisplaced(tx, sql`h.pool_id = ${id}`);
  return poolNamed(tx, name);
}

export async function removePool(tx: Tx, name: string): Promise<void> {
  const { id } = await poolNamed(tx, name);
  await tx.execute(sql`select from pool where id = ${id} for update`);
  // Hosts of retired sites are in no list; should one come back, it takes nothing until it is put somewhere.
  await tx.execute(sql`
    update host set pool_id = null, schedulable = false from site
    where host.pool_id = ${id} and site.name = host.site and not ${isKept(sql`site`)}`);
  const { hosts } = await tx.one(
    sql`select coalesce(jsonb_agg(name order by name), '[]') as hosts from host
      where pool_id = ${id}`,
    z.object({ hosts: z.array(z.string()) }),
  );
  const flavors = (await flavorsOfPool(tx, name)).map((flavor) => flavor.name);
  if (hosts.length > 0 || flavors.length > 0) {
    const held = [
      ...(hosts.length === 0 ? [] : [`hosts in it (${hosts.slice(0, 10).join(", ")})`]),
      ...(flavors.length === 0 ? [] : [`flavors sold from it (${flavors.join(", ")})`]),
    ];
    throw new Failure(
      "wrong_state",
      `The pool ${name} still has ${held.join(" and ")}; take them out first.`,
      { details: { hosts, flavors } },
    );
  }
  await tx.execute(sql`delete from pool where id = ${id}`);
}

/** Into a pool, or out of any with null. What is on the host must be allowed where it comes to. */
export async function moveHost(tx: Tx, hostId: string, pool: string | null): Promise<void> {
  const poolId = pool === null ? null : (await poolNamed(tx, pool)).id;
  await tx.execute(sql`select from host where id = ${hostId} for no key update`);
  // A change of the pool at the same time sees this host, or this sees the change.
  await tx.execute(sql`select from pool where id = ${poolId} for no key update`);
  await tx.execute(sql`update host set pool_id = ${poolId} where id = ${hostId}`);
  await demandNothingMisplaced(tx, sql`h.id = ${hostId}`);
}

async function dedicate(tx: Tx, poolId: string, tenants: readonly string[] | null): Promise<void> {
  await tx.execute(sql`delete from pool_tenant where pool_id = ${poolId}`);
  if (tenants === null) return;
  const unknown = await tx.rows(
    sql`select asked as id from unnest(${[...tenants]}::uuid[]) as asked
      where not exists (select from tenant where id = asked)`,
    z.object({ id: z.string() }),
  );
  if (unknown.length > 0) {
    const ids = unknown.map(({ id }) => id);
    throw new Failure("not_found", `There is no such tenant: ${ids.join(", ")}.`, {
      details: { tenants: ids },
    });
  }
  await tx.execute(sql`
    insert into pool_tenant (tenant_id, pool_id)
    select distinct asked, ${poolId}::uuid from unnest(${[...tenants]}::uuid[]) as asked`);
}

const misplacedRow = z.object({ host: z.string(), why: z.string(), count: z.int() });

/** Of those hosts `h`. */
async function demandNothingMisplaced(tx: Tx, which: Sql): Promise<void> {
  const found = await tx.rows(
    sql`
    select h.name as host, why, count(*)::int as count
    from host h join placement p on p.host_id = h.id and p.state <> 'none',
      pool_refuses(h.pool_id, p.tenant_id, p.shape) as why
    where ${which} and why is not null
    group by h.name, why order by h.name, why limit 20`,
    misplacedRow,
  );
  if (found.length === 0) return;
  throw new Failure(
    "wrong_state",
    `What runs there stands in the way: ${found
      .map(({ host, why, count }) => `${host} has ${count} of which ${why}`)
      .join("; ")}. Cordon the host and wait until they are gone, or change the pool otherwise.`,
    { details: { obstacles: found } },
  );
}

function withChange(base: PoolSettings, change: PoolChange): PoolSettings {
  return {
    policy: change.policy ?? base.policy,
    serviceClass: change.serviceClass ?? base.serviceClass,
    slicesMax: change.slicesMax ?? base.slicesMax,
    reservePercent: change.reservePercent ?? base.reservePercent,
    spread: change.spread ?? base.spread,
    tenants: change.tenants === undefined ? base.tenants : change.tenants,
  };
}

function demandRules(name: string, rules: readonly Reason[]): void {
  if (rules.length === 0) return;
  throw new Failure(
    "rule_violation",
    `The pool ${name} breaks ${rules.length === 1 ? "a rule" : `${rules.length} rules`}: ${rules.map((rule) => rule.message).join("; ")}.`,
    { details: { rules } },
  );
}

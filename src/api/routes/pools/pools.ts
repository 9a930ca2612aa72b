/** Pools of hosts, for the operator. */
import type { Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";
import { poolFindings, targetOf } from "#catalog/pool-findings.ts";
import { listPools, poolNamed, type PoolRow } from "#catalog/pool-rows.ts";
import { addPool, changePool, removePool } from "#catalog/pools.ts";
import type { Pool } from "#contract/schemas/pools.ts";
import type { Queryable } from "#db/pool.ts";
import { heldShares } from "#flow/meter/pool-hours.ts";
import { poolUses, type PoolUse } from "#flow/place/pool-use.ts";

const thirtyDaysMs = 30 * 86_400_000;

export const poolHandlers = {
  listPools: async ({ query }, { tx, now }) => {
    const show = await shower(tx, now());
    return pageOf(query, {
      load: (ask) => listPools(tx, ask),
      show,
      positionOf: (pool) => ({ at: pool.createdAt, id: pool.id }),
    });
  },
  getPool: async ({ params }, { tx, now }) => {
    const pool = await poolNamed(tx, params.name);
    return (await shower(tx, now()))(pool);
  },
  createPool: async ({ body }, { tx, now }) => {
    const pool = await addPool(tx, body);
    return (await shower(tx, now()))(pool);
  },
  updatePool: async ({ params, body }, { tx, now }) => {
    const pool = await changePool(tx, params.name, body);
    tx.nudge("capacity");
    return (await shower(tx, now()))(pool);
  },
  deletePool: async ({ params }, { tx }) => {
    await removePool(tx, params.name);
  },
} satisfies Partial<Handlers>;

/** Reads what all pools hold once, to show any of them. */
async function shower(db: Queryable, now: number): Promise<(pool: PoolRow) => Pool> {
  const uses = await poolUses(db, now);
  const shares = await heldShares(db, { from: now - thirtyDaysMs, until: now });
  return (pool) => poolView(pool, uses.get(pool.id) ?? noUse, shares.get(pool.id) ?? null);
}

const noUse: PoolUse = { hosts: 0, away: [], gpus: [], unit: "cpu", capacity: 0, allocated: 0 };

function poolView(pool: PoolRow, use: PoolUse, days30: number | null): Pool {
  const { createdAt, ...settings } = pool;
  const { hosts, unit, capacity, allocated } = use;
  const reserved = (capacity * pool.reservePercent) / 100;
  return {
    ...settings,
    hosts,
    hostsAway: use.away.reduce((sum, each) => sum + each.hosts, 0),
    unit,
    capacity,
    allocated,
    gpus: use.gpus.map(({ model, devices, sick, allocated: held }) => {
      return { model, devices, sick, allocated: held };
    }),
    reserve: { size: reserved, free: Math.max(0, Math.min(reserved, capacity - allocated)) },
    utilization: {
      now: capacity === 0 ? null : allocated / capacity,
      days30,
      target: targetOf(pool),
    },
    findings: poolFindings(pool, { ...use, days30 }),
    createdAt: time(createdAt),
  };
}

/**
 * Whom a pool serves, before any of its hosts is looked at: the same rules as `pool_refuses` of the
 * schema, which refuses a commit that breaks them. Pure.
 */
import type { PlaceAsk } from "./ask.ts";
import type { PoolState } from "./host-state.ts";

export const wallWords = [
  "outside the pool that is asked for",
  "edge pool, only for work that names it",
  "pool is dedicated to others",
  "pool is of another class",
  "pool does not cut GPUs that far",
] as const;
export type Wall = (typeof wallWords)[number];

/** `pool` null: hosts outside every pool, which serve whoever names none. */
export function wallOf(pool: PoolState | null, { tenantId, shape }: PlaceAsk): Wall | undefined {
  if (shape.pool !== null && shape.pool !== pool?.name) return "outside the pool that is asked for";
  if (pool === null) return undefined;
  if (pool.policy === "edge" && shape.pool === null) {
    return "edge pool, only for work that names it";
  }
  if (pool.tenantIds?.includes(tenantId) === false) return "pool is dedicated to others";
  if (pool.serviceClass !== "any" && pool.serviceClass !== shape.serviceClass) {
    return "pool is of another class";
  }
  const slicesMax = pool.policy === "exclusive" ? 1 : pool.slicesMax;
  if ((shape.gpu?.slice ?? 1) > slicesMax) return "pool does not cut GPUs that far";
  return undefined;
}

/**
 * Where it goes first, of the pools that would take it: what is dedicated to it, then what is for its
 * class alone, then the rest. So pools for all classes keep room for those that can go nowhere else.
 */
export function rankOf(pool: PoolState | null): number {
  if (pool === null) return 2;
  if (pool.tenantIds !== null) return 0;
  return pool.serviceClass === "any" ? 2 : 1;
}

/** Limits and use of a tenant. */
import type { Handler } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import type { Quantities } from "#flow/admit/decide.ts";
import { limitsOf, lockQuota, setLimits, usedBy } from "#flow/admit/quota.ts";
import type { Queryable } from "#db/pool.ts";

export const getQuota: Handler<Operations["getQuota"]> = (_input, { tx, tenantId }) =>
  quotaOf(tx, tenantId);

export const updateQuota: Handler<Operations["updateQuota"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  await lockQuota(tx, tenantId);
  const before = await limitsOf(tx, tenantId);
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  await setLimits(tx, tenantId, { ...before, ...given });
  context.note({ target: tenantId, details: given });
  return quotaOf(tx, tenantId);
};

async function quotaOf(
  db: Queryable,
  tenantId: string,
): Promise<{ limits: Mutable<Quantities>; used: Mutable<Quantities> }> {
  return { limits: copy(await limitsOf(db, tenantId)), used: copy(await usedBy(db, tenantId)) };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] } & { gpus: Record<string, number> };

function copy(quantities: Quantities): Mutable<Quantities> {
  return { ...quantities, gpus: { ...quantities.gpus } };
}

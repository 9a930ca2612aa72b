/** In which class new work of a tenant queues: by his tier, or by the package he has (R-PKG-8). */
import type { Context } from "#api/handler.ts";
import { queueClass } from "#customers/benefits.ts";
import { tierAt } from "#customers/tier-store.ts";
import { hasPackageCredit } from "#flow/ledger/package-credit.ts";

export async function priorityOf({
  tx,
  tenantId,
  now,
}: Pick<Context, "tx" | "tenantId" | "now">): Promise<number> {
  const tier = await tierAt(tx, tenantId, now());
  return queueClass({ tier, packageCredit: await hasPackageCredit(tx, tenantId) });
}

/** No new work for a tenant whose money is about to be used up, whatever the work costs. */
import type { Queryable } from "#db/pool.ts";
import { hasPackageCredit } from "#flow/ledger/package-credit.ts";
import { Failure } from "#kernel/failure.ts";

import { standingOf } from "./store.ts";

const refusing: ReadonlySet<string> = new Set(["no_new_work", "grace", "stopped", "released"]);

/** Throws `insufficient_credit`. Jobs are paid by packages as long as these have credit. */
export async function requireMeans(
  db: Queryable,
  ask: { readonly tenantId: string; readonly kind: "lease" | "job" },
): Promise<void> {
  const standing = await standingOf(db, ask.tenantId);
  if (standing === undefined || !refusing.has(standing.stage)) return;
  if (ask.kind === "job" && (await hasPackageCredit(db, ask.tenantId))) return;
  throw new Failure(
    "insufficient_credit",
    "The balance is about to be used up by what runs already, so nothing new starts. Top up first.",
    { details: { stage: standing.stage } },
  );
}

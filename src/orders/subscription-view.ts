/** Everything that deciding about one subscription takes, read under its locks. */
import type { Queryable, Tx } from "#db/pool.ts";
import { findOperation, type OperationRow } from "#flow/admit/operations.ts";
import { lockRequest } from "#flow/admit/requests.ts";
import { leaseFacts } from "#flow/provision/lease-facts.ts";

import type { OperationEnd, SubscriptionView } from "./decide.ts";
import { openExpansions, openUpgrade } from "./expansion-rows.ts";
import { type SubscriptionKey } from "./subscription-periods.ts";
import { getSubscription, lockSubscription, type Subscription } from "./subscription-rows.ts";

/** Request, then subscription; the wallet comes after both. Throws `not_found`. */
export async function lockedView(tx: Tx, key: SubscriptionKey): Promise<SubscriptionView> {
  const { leaseId } = await getSubscription(tx, key);
  await lockRequest(tx, { tenantId: key.tenantId, id: leaseId, kind: "lease" });
  return viewOf(tx, await lockSubscription(tx, key));
}

export async function viewOf(db: Queryable, subscription: Subscription): Promise<SubscriptionView> {
  const { tenantId, leaseId } = subscription;
  const upgrade = await openUpgrade(db, subscription);
  const expansions = await openExpansions(db, subscription);
  const waiting = [
    ...(upgrade === undefined ? [] : [upgrade.operationId]),
    ...expansions.flatMap(({ state, operationId }) =>
      state === "resizing" && operationId !== undefined ? [operationId] : [],
    ),
  ];
  const operations = new Map<string, OperationEnd>();
  for (const id of waiting) {
    const found = await findOperation(db, { tenantId, id });
    if (found !== undefined) operations.set(id, endOf(found));
  }
  const lease = await leaseFacts(db, { tenantId, id: leaseId });
  return { subscription, lease, upgrade, expansions, operations };
}

function endOf({ state, reason }: OperationRow): OperationEnd {
  switch (state) {
    case "running":
    case "succeeded":
      return { state };
    case "failed":
    case "superseded":
      return {
        state: "failed",
        reason: reason ?? { code: state, message: "A later ask took its place." },
      };
  }
}

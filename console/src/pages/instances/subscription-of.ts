/** The terms that were bought ahead, by the lease that they pay for: its end is the instance's expiry. */
import { useCallback } from "react";
import type { ItemOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";

import type { Lease } from "./actions.ts";

export type Subscription = ItemOf<"listSubscriptions">;
const countMax = 200;

export function useSubscriptions(isNeeded: boolean): (leaseId: string) => Subscription | undefined {
  const may = useMay();
  const query = useApi(
    "listSubscriptions",
    { query: { limit: countMax } },
    { enabled: isNeeded && may("billing.read") },
  );
  const items = query.data?.items;
  return useCallback(
    (leaseId) => items?.find((each) => each.leaseId === leaseId && each.state !== "ended"),
    [items],
  );
}

export function useSubscriptionOf(lease: Lease): Subscription | undefined {
  return useSubscriptions(lease.plan === "subscription")(lease.id);
}

/** What a tenant is told about a subscription, once for each fact. */
import type { Tx } from "#db/pool.ts";
import { notify, type NoticeDraft } from "#notices/store.ts";

import type { Booked } from "./items.ts";
import type { SubscriptionRow } from "./subscription-rows.ts";

const severities: Readonly<Partial<Record<NoticeDraft["kind"], NoticeDraft["severity"]>>> = {
  subscription_lapsed: "critical",
  subscription_released: "critical",
  subscription_failed: "critical",
  subscription_ends: "warning",
  upgrade_failed: "warning",
  expansion_failed: "warning",
};

export async function tell(
  tx: Tx,
  { tenantId, at }: Booked,
  what: {
    readonly of: Pick<SubscriptionRow, "name">;
    readonly kind: NoticeDraft["kind"];
    /** With the kind it names the fact. */
    readonly key: string;
    readonly data: NoticeDraft["data"];
  },
): Promise<void> {
  await notify(tx, {
    tenantId,
    key: `${what.kind}:${what.key}`,
    kind: what.kind,
    severity: severities[what.kind] ?? "info",
    data: { name: what.of.name, ...what.data },
    at,
  });
}

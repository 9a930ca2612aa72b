/** What a tenant is told about a subscription, once for each fact. */
import type { Tx } from "#db/pool.ts";
import { dayOf } from "#kernel/calendar.ts";
import { notify, raiseAlert, resolveAlert, type NoticeDraft } from "#notices/store.ts";

import type { Booked } from "./items.ts";
import type { SubscriptionRow } from "./subscription-rows.ts";

const severities: Readonly<Partial<Record<NoticeDraft["kind"], NoticeDraft["severity"]>>> = {
  subscription_lapsed: "critical",
  subscription_released: "critical",
  subscription_failed: "critical",
  subscription_ends: "warning",
  subscription_waits: "warning",
  upgrade_failed: "warning",
  expansion_failed: "warning",
};

/** Names the alert that a machine does not get what is paid for. */
function waitsKey({ id }: Pick<SubscriptionRow, "id">): string {
  return `subscription-waits:${id}`;
}

/** What is paid for cannot be given now: said once a day to the customer, open for the operator. */
export async function tellWaits(
  tx: Tx,
  of: Pick<SubscriptionRow, "tenantId" | "id" | "name" | "zone">,
  { at, reason }: { readonly at: number; readonly reason: string },
): Promise<void> {
  const { tenantId, id, name, zone } = of;
  const key = `${id}:${dayOf(zone, at)}`;
  await tell(tx, { tenantId, zone, at }, { of, kind: "subscription_waits", key, data: { reason } });
  await raiseAlert(tx, {
    key: waitsKey(of),
    kind: "subscription_waits",
    severity: "warning",
    tenantId,
    data: { tenant: tenantId, subscription: name, reason },
    at,
  });
}

/** Nothing is waited for any more: it came, or its term is over. */
export async function waitsNoMore(
  tx: Tx,
  of: Pick<SubscriptionRow, "id">,
  at: number,
): Promise<void> {
  await resolveAlert(tx, { key: waitsKey(of), by: "orders", at });
}

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

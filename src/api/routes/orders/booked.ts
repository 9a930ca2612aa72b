/** Whose order it is, and when: what everything that books an order needs to know. */
import type { Context } from "#api/handler.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { timeZone } from "#kernel/zone.ts";
import type { Booked } from "#orders/items.ts";

export async function bookedNow({ tx, tenantId, now }: Context): Promise<Booked> {
  const tenant = present(await findTenant(tx, tenantId), "tenant of the caller");
  return { tenantId, zone: timeZone(tenant.timeZone), at: now() };
}

/** For something new: only who has accepted what must be accepted. */
export async function orderedNow(context: Context): Promise<Booked> {
  await requireAgreements(context.tx, context.tenantId);
  return bookedNow(context);
}

/** The tenant of the caller as his bills name him, and the zone of their days. */
import type { Queryable } from "#db/pool.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { billingZone, isTimeZone, timeZone, type TimeZone } from "#kernel/zone.ts";

export async function accountOf(
  db: Queryable,
  tenantId: string,
): Promise<{ readonly name: string; readonly zone: TimeZone }> {
  const tenant = present(await findTenant(db, tenantId), "the tenant of the caller");
  return {
    name: tenant.displayName,
    zone: isTimeZone(tenant.timeZone) ? timeZone(tenant.timeZone) : billingZone,
  };
}

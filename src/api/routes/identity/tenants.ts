import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import { requireDefaultProject } from "#identity/projects.ts";
import { requireNothingShared } from "#flow/admit/service-class.ts";
import { toldChannel } from "#openings/store.ts";
import { endSuspension, stopSuspended } from "#flow/admit/suspension.ts";
import {
  createTenant,
  findTenant,
  listTenants,
  updateTenant,
  type Tenant,
} from "#identity/tenants.ts";
import { Failure } from "#kernel/failure.ts";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

import { shownCreatedKey } from "./api-keys.ts";

export const tenantHandlers = {
  listTenants: async ({ query }, { tx }) =>
    pageByAge(query, (ask) => listTenants(tx, ask), shownTenant),

  createTenant: async ({ body }, { tx, now, note }) => {
    const { tenant, administrator } = await createTenant(tx, { ...body, now: now() });
    note({ target: tenant.id, details: { name: tenant.name } });
    return { tenant: shownTenant(tenant), administrator: shownCreatedKey(administrator) };
  },

  getTenant: async ({ params }, { tx, db, principal }) => {
    // Row-level security shows a tenant only itself; root asks past it.
    const from = principal.role === "root" ? db : tx;
    const tenant = await findTenant(from, params.tenantId);
    if (tenant === undefined) throw new Failure("not_found", "There is no such tenant.");
    return shownTenant(tenant);
  },

  updateTenant: async ({ params, body }, { tx, note, principal, requestId, now }) => {
    const { tenantId } = params;
    const before = await findTenant(tx, tenantId);
    if (body.serviceClass === "core" && before !== undefined)
      await requireNothingShared(tx, tenantId);
    const tenant = await updateTenant(tx, { ...body, tenantId });
    note({ details: body });
    if (tenant.serviceClass !== before?.serviceClass) tx.nudge(toldChannel);
    if (tenant.state !== before?.state) {
      const name = `${principal.tenantName}/${principal.userName}`;
      const actor = { kind: "user", name, ...principal } as const;
      const suspension = { tenantId, actor, requestId, at: now() };
      if (tenant.state === "suspended") {
        const { length: stopped } = await stopSuspended(tx, suspension);
        note({ details: { stopped } });
      } else {
        await endSuspension(tx, suspension);
        await requireDefaultProject(tx, { tenantId, now: now() });
      }
    }
    return shownTenant(tenant);
  },
} satisfies Partial<Handlers>;

function shownTenant(tenant: Tenant): z.output<typeof wire.tenant> {
  const { id, name, displayName, timeZone, state, serviceClass, createdAt } = tenant;
  return { id, name, displayName, timeZone, state, serviceClass, createdAt: time(createdAt) };
}

/**
 * Tenants whom the operator calls core have core machines alone: CPUs of their own, nothing overcommitted
 * (I-DES-02). A platform may refuse others in their projects, also the last changes to one that goes: so a
 * tenant becomes core only when no shared machine of his is left. Jobs are meant by neither: they get what
 * they ask for, and share it with nobody.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { lockQuota } from "./quota.ts";

const shownMax = 5;
const classRow = z.object({ service_class: z.enum(["core", "standard"]) });
const nameRow = z.object({ name: z.string() });

/** Of a lease. The quota is locked, so that the tenant is what he is until this transaction ends. */
export async function requireClass(
  tx: Tx,
  { tenantId, shape }: { readonly tenantId: string; readonly shape: Shape },
): Promise<void> {
  const failure = await refusedByClass(tx, { tenantId, shape });
  if (failure !== undefined) throw failure;
}

export async function refusedByClass(
  tx: Tx,
  { tenantId, shape }: { readonly tenantId: string; readonly shape: Shape },
): Promise<Failure | undefined> {
  if (shape.serviceClass === "core") return undefined;
  const { service_class: asked } = await tx.one(
    sql`select service_class from tenant where id = ${tenantId}`,
    classRow,
  );
  if (asked !== "core") return undefined;
  return new Failure(
    "rule_violation",
    `This account rents core instances alone, and ${shape.flavor} shares its CPUs. Choose a flavor of the class core, or ask the operator.`,
    { details: { flavor: shape.flavor, serviceClass: shape.serviceClass, required: "core" } },
  );
}

/** Of a tenant who is to become core, by the operator. */
export async function requireNothingShared(tx: Tx, tenantId: string): Promise<void> {
  await lockQuota(tx, tenantId);
  const left = await tx.rows(
    sql`select name from request r
      where r.tenant_id = ${tenantId} and r.kind = 'lease' and r.shape->>'serviceClass' <> 'core'
        and (r.ended_at is null or exists (select from instance i where i.tenant_id = r.tenant_id
          and i.request_id = r.id and i.state <> 'gone'))
      order by name limit ${shownMax + 1}`,
    nameRow,
  );
  if (left.length === 0) return;
  const names = left.slice(0, shownMax).map(({ name }) => name);
  const more = left.length > shownMax ? ", …" : "";
  throw new Failure(
    "wrong_state",
    `The tenant still has instances that share their CPUs: ${names.join(", ")}${more}. Have them released first.`,
    { details: { leases: names } },
  );
}

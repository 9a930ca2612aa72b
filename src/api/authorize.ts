/**
 * May this caller do this? Everything here follows from the contract's tables; rules that need the
 * record itself (the last administrator, a role above one's own) are with the records.
 */
import type { Operation } from "#contract/operation.ts";
import { mayDo } from "#contract/permissions.ts";
import type { Queryable } from "#db/pool.ts";
import type { Authenticated } from "#identity/authenticate.ts";
import { findTenant } from "#identity/tenants.ts";
import { Failure } from "#kernel/failure.ts";

/** Changes something; the others (asking a price is a POST too) are reads. */
export function isMutation(operation: Pick<Operation, "audit">): boolean {
  return operation.audit !== undefined;
}

/** Done by the operator over all tenants: without the row-level security of one of them. */
export function isOperatorOperation({ permission }: Pick<Operation, "permission">): boolean {
  return (
    permission === "usage.write" ||
    permission === "tenant.manage" ||
    permission === "catalog.manage" ||
    permission === "platform.read" ||
    permission === "platform.manage"
  );
}

/** `undefined` when it may. */
export function refusal(
  operation: Pick<Operation, "permission" | "audit">,
  caller: Authenticated,
): Failure | undefined {
  const { principal, tenantState } = caller;
  if (!mayDo(principal.role, operation.permission)) {
    return new Failure(
      "forbidden",
      `The role ${principal.role} does not have the permission ${operation.permission}.`,
      { details: { role: principal.role, permission: operation.permission } },
    );
  }
  if (principal.scope === "usage.write" && operation.permission !== "usage.write") {
    return new Failure("forbidden", "This API key may only hand in usage.", {
      details: { scope: principal.scope },
    });
  }
  // One's own sign-in can always be ended; what a reading key may not do of it, its handler says.
  if (!isMutation(operation) || operation.permission === "self") return undefined;
  if (principal.scope === "read") {
    return new Failure("forbidden", "This API key may only read.", {
      details: { scope: principal.scope },
    });
  }
  if (tenantState === "suspended") {
    return new Failure(
      "forbidden",
      `The tenant ${principal.tenantName} is suspended: it can read, but change nothing. Ask the operator.`,
      { details: { reason: "tenant_suspended" } },
    );
  }
  return undefined;
}

/**
 * The tenant acted for: `named` is the header `Millrace-Tenant`. To anybody but root, every tenant
 * except his own does not exist.
 */
export async function tenantActedFor(
  db: Queryable,
  { principal }: Authenticated,
  named: string | undefined,
): Promise<string> {
  const own = named === principal.tenantId || named === principal.tenantName;
  if (named === undefined || own) return principal.tenantId;
  const tenant = principal.role === "root" ? await findTenant(db, named) : undefined;
  if (tenant === undefined) {
    throw new Failure("not_found", "There is no such tenant, or it is not yours.", {
      details: { header: "Millrace-Tenant" },
    });
  }
  return tenant.id;
}

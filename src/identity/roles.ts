/** What a role may hand out. Derived from the contract's table, so the two cannot disagree. */
import type { Role } from "#contract/operation.ts";
import { permissionsOfRole } from "#contract/permissions.ts";

/** Nobody grants what he could not do himself. */
export function mayGrant(granter: Role, role: Role): boolean {
  const own = permissionsOfRole[granter];
  return permissionsOfRole[role].every((permission) => own.includes(permission));
}

export type TenantKind = "operator" | "customer";

/** The role of which a tenant always keeps one active user. */
export function administratorRole(kind: TenantKind): "root" | "domain_admin" {
  return kind === "operator" ? "root" : "domain_admin";
}

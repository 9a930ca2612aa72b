/** Which role may do what. The authorization-matrix test walks this table for every operation. */
import type { Permission, Role } from "./operation.ts";

const everyone: readonly Permission[] = ["public", "self", "catalog.read", "tenant.read"];

const viewer: readonly Permission[] = [...everyone, "member.read", "compute.read", "billing.read"];

export const permissionsOfRole: Readonly<Record<Role, readonly Permission[]>> = {
  viewer,
  billing: [...viewer, "billing.manage"],
  user: [...everyone, "member.read", "compute.read", "compute.use", "billing.read", "key.manage"],
  domain_admin: [
    ...viewer,
    "compute.use",
    "member.manage",
    "key.manage",
    "billing.manage",
    "audit.read",
  ],
  root: [
    ...viewer,
    "compute.use",
    "member.manage",
    "key.manage",
    "billing.manage",
    "audit.read",
    "usage.write",
    "tenant.manage",
    "catalog.manage",
    "platform.read",
    "platform.manage",
  ],
};

export function mayDo(role: Role, permission: Permission): boolean {
  return permission === "public" || permissionsOfRole[role].includes(permission);
}

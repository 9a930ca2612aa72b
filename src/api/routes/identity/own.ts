/** What belongs to a person, not to a tenant: root has none of it in a tenant that it acts for. */
import type { CallerContext } from "#api/handler.ts";
import { Failure } from "#kernel/failure.ts";

/** `what` begins the sentence: "SSH keys". Throws `forbidden`. */
export function ownerOf(
  { principal, tenantId }: Pick<CallerContext, "principal" | "tenantId">,
  what: string,
): { readonly tenantId: string; readonly userId: string } {
  if (principal.tenantId === tenantId) return { tenantId, userId: principal.userId };
  throw new Failure(
    "forbidden",
    `${what} belong to the users of a tenant, and you are none of this one's. Leave out the header Millrace-Tenant.`,
  );
}

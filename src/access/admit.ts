/** Who may open which console. Every answer is audited: the opening with it, a refusal by itself. */
import { z } from "zod";

import { refusal, tenantActedFor } from "#api/authorize.ts";
import { audit, type AuditEntry } from "#audit/audit.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Authenticated } from "#identity/authenticate.ts";
import { Failure, type FailureCode } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";

interface AdmitContext {
  readonly db: Db;
  readonly observer: Observer;
  readonly now: () => number;
}

const instanceRow = z.object({ id: z.string(), site: z.string() });
/** The machine whose console it is, where that is, and whose. */
type Line = z.output<typeof instanceRow> & { readonly tenantId: string };

export interface Wish {
  readonly authenticated: Authenticated;
  /** The tenant that the caller wants to act for. */
  readonly named: string | undefined;
  readonly leaseId: string;
  readonly kind: "serial" | "vnc";
  readonly requestId: string;
}

/** The machine, with the audit row that says that its console was opened; or that it was refused. */
export async function admit(context: AdmitContext, wish: Wish): Promise<Line> {
  const { db } = context;
  const { authenticated, leaseId } = wish;
  let { tenantId } = authenticated.principal;
  try {
    const refused = refusal({ permission: "compute.use", audit: action }, authenticated);
    if (refused !== undefined) throw refused;
    tenantId = await tenantActedFor(db, authenticated, wish.named);
    return await db.tenant(tenantId, async (tx) => {
      const found = await tx.maybe(
        sql`select i.id, i.site from instance i join request r
            on r.tenant_id = i.tenant_id and r.id = i.request_id
          where i.tenant_id = ${tenantId} and i.request_id = ${leaseId} and r.kind = 'lease'
            and i.state <> 'gone'`,
        instanceRow,
      );
      if (found === undefined) {
        throw new Failure("not_found", "There is no such lease, or no machine of it.");
      }
      const details = { kind: wish.kind };
      await audit(tx, { ...entryOf(context, wish, tenantId), outcome: "done", details });
      return { ...found, tenantId };
    });
  } catch (error) {
    if (error instanceof Failure && auditedRefusals.has(error.code)) {
      await auditRefusal(context, wish, { tenantId, failure: error });
    }
    throw error;
  }
}

const action = "lease.console";
const auditedRefusals: ReadonlySet<FailureCode> = new Set<FailureCode>(["forbidden", "not_found"]);

/** Never fails: the refusal is answered whether or not it could be written down. */
async function auditRefusal(
  context: AdmitContext,
  wish: Wish,
  { tenantId, failure }: { readonly tenantId: string; readonly failure: Failure },
): Promise<void> {
  const { code, message } = failure;
  const details = { kind: wish.kind, code, message, ...failure.details };
  try {
    await context.db.tenant(tenantId, (tx) =>
      audit(tx, { ...entryOf(context, wish, tenantId), outcome: "refused", details }),
    );
  } catch (error) {
    const { requestId } = wish;
    context.observer.log.error({ requestId, err: error }, "refusal could not be audited");
  }
}

function entryOf(
  { now }: AdmitContext,
  { authenticated, leaseId, requestId }: Wish,
  tenantId: string,
): Omit<AuditEntry, "outcome"> {
  const { principal } = authenticated;
  const isOwn = principal.tenantId === tenantId;
  const name = isOwn ? principal.userName : `${principal.tenantName}/${principal.userName}`;
  const actor = { kind: "user", name, ...principal } as const;
  return { tenantId, actor, action, target: leaseId, requestId, at: now() };
}

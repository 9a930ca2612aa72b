/**
 * The operator's own tenant, made at the first start, the way back in after a lost key, and the link
 * that a start shows.
 */
import { z } from "zod";

import { audit } from "#audit/audit.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";

import { insertApiKey } from "./api-keys.ts";
import { insertCode } from "./sign-in-codes.ts";
import { openTenant } from "./tenants.ts";

export const operatorTenantName = "operator";
const rootUserName = "root";
/** A person who has just started the program reads what it says; the log keeps it for longer. */
const startCodeMs = 3_600_000;

/** Any number; it only has to be the same in every process. */
const firstStartLock = 7_274_010;

export interface OperatorCredential {
  readonly tenantId: string;
  readonly userId: string;
  readonly userName: string;
  /** To be shown once; it is stored nowhere. */
  readonly secret: string;
}

/**
 * The credential of the operator that this call made, `undefined` when there was one. Several
 * processes may ask at once; one of them gets it. It must be shown after the commit.
 */
export async function ensureOperator(tx: Tx, now: number): Promise<OperatorCredential | undefined> {
  await tx.execute(sql`select pg_advisory_xact_lock(${firstStartLock})`);
  if ((await operatorTenantId(tx)) !== undefined) return undefined;
  const { tenant, administrator } = await openTenant(tx, {
    name: operatorTenantName,
    displayName: "Operator",
    kind: "operator",
    administratorName: rootUserName,
    now,
  });
  await auditSystem(tx, { tenantId: tenant.id, action: "operator.create", now });
  const { userId, secret } = administrator;
  return { tenantId: tenant.id, userId, userName: rootUserName, secret };
}

/**
 * A new key for the oldest active root user, for one who lost his and has access to the machine.
 * The other keys stay: he may revoke them with this one.
 */
export async function newRootKey(tx: Tx, now: number): Promise<OperatorCredential> {
  const { tenantId, ...user } = await firstRoot(tx);
  const key = await insertApiKey(tx, {
    tenantId,
    userId: user.id,
    name: `recovery ${new Date(now).toISOString().slice(0, 10)}`,
    scope: "all",
    expiresAt: null,
    now,
  });
  await auditSystem(tx, { tenantId, action: "operator.recover", target: key.id, now });
  return { tenantId, userId: user.id, userName: user.name, secret: key.secret };
}

/** Signs a browser in as the oldest active root user: once, within an hour. */
export async function newStartCode(tx: Tx, now: number): Promise<string> {
  const { tenantId, id: userId } = await firstRoot(tx);
  const ask = { tenantId, userId, keyId: null, scope: "all", purpose: "sign_in" } as const;
  const { id, code } = await insertCode(tx, { ...ask, lifeMs: startCodeMs, now });
  await auditSystem(tx, { tenantId, action: "sign-in-code.create", target: id, now });
  return code;
}

async function firstRoot(tx: Tx): Promise<{ tenantId: string; id: string; name: string }> {
  const tenantId = present(await operatorTenantId(tx), "the operator's tenant");
  const user = await tx.one(
    sql`select id, name from tenant_user
      where tenant_id = ${tenantId} and role = 'root' and state = 'active'
      order by created_at, id limit 1`,
    z.object({ id: z.string(), name: z.string() }),
  );
  return { tenantId, ...user };
}

async function operatorTenantId(tx: Tx): Promise<string | undefined> {
  const tenant = await tx.maybe(
    sql`select id from tenant where kind = 'operator'`,
    z.object({ id: z.string() }),
  );
  return tenant?.id;
}

async function auditSystem(
  tx: Tx,
  entry: {
    readonly tenantId: string;
    readonly action: string;
    readonly target?: string;
    readonly now: number;
  },
): Promise<void> {
  await audit(tx, {
    tenantId: entry.tenantId,
    actor: { kind: "system", name: "system" },
    action: entry.action,
    target: entry.target ?? entry.tenantId,
    outcome: "done",
    requestId: "-",
    at: entry.now,
  });
}

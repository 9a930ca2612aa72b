/** Where reads get their rows: as the tenant, behind row-level security, or as the operator. */
import type { Tx } from "#db/pool.ts";
import { assert } from "#kernel/assert.ts";

import { isOperatorOperation } from "./authorize.ts";
import type { Call, Environment } from "./call.ts";

/**
 * A tenant's reads are one round trip each, and those that a handler asks for at the same time are
 * one together. No connection is held in between.
 */
export async function reading<T>(
  { db }: Pick<Environment, "db">,
  { operation, tenantId }: Pick<Call, "operation" | "tenantId">,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  if (isOperatorOperation(operation)) return db.transaction(work, { readOnly: true });
  return work({ ...db.reads(tenantId), nudge: refuseNudge });
}

function refuseNudge(): void {
  assert(false, "a read nudges nobody");
}

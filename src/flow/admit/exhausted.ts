/**
 * Stopped means stopped (invariant 8): when nothing is left on a tenant's balance, leases are
 * stopped (their disks stay) and jobs canceled, with the reason.
 */
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Credit } from "#flow/ledger/decide.ts";
import { credit, lockCredit } from "#flow/ledger/accounts.ts";
import type { Reason } from "#kernel/reason.ts";
import { formatFen } from "#kernel/money.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { endOperation, runningOperations } from "./operations.ts";
import { setReason, setWanted } from "./requests.ts";

const spendingRow = z.object({ tenant_id: z.string() });
const openRow = z.object({ id: z.string(), kind: z.enum(["lease", "job"]) });

export function creditLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "credit",
    periodMs: 15_000,
    channels: ["balance"],
    pass: async () => {
      const spending = await db.rows(
        sql`select distinct r.tenant_id
          from request r join account a on a.tenant_id = r.tenant_id and a.kind = 'wallet'
          where r.ended_at is null and r.wanted = 'running'`,
        spendingRow,
      );
      const failures: unknown[] = [];
      for (const { tenant_id: tenantId } of spending) {
        try {
          await stopIfExhausted(tenantId);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, "some credit was not looked at");
      return "rest";
    },
  };

  async function stopIfExhausted(tenantId: string): Promise<void> {
    if (leftOf(await credit(db, tenantId)) > 0n) return;
    await db.transaction(async (tx) => {
      // Requests before the wallet: the order in which a request that ends takes its locks.
      const open = await tx.rows(
        sql`select id, kind from request
          where tenant_id = ${tenantId} and ended_at is null and wanted = 'running'
          order by id for no key update`,
        openRow,
      );
      const left = await lockCredit(tx, tenantId);
      if (leftOf(left) > 0n || open.length === 0) return;
      const reason: Reason = {
        code: "insufficient_credit",
        message: "The balance is used up. Top up and start again.",
        details: { available: formatFen(left.available), held: formatFen(left.held) },
      };
      for (const { id, kind } of open) await stop(tx, { tenantId, id, kind, reason });
      await tx.nudge("request");
      await tx.nudge("operation");
    });
  }

  async function stop(
    tx: Tx,
    work: {
      readonly tenantId: string;
      readonly id: string;
      readonly kind: "lease" | "job";
      readonly reason: Reason;
    },
  ): Promise<void> {
    const { tenantId, id, kind, reason } = work;
    const wanted = kind === "lease" ? "stopped" : "released";
    await setWanted(tx, { tenantId, id, wanted, at: now() });
    await setReason(tx, { tenantId, id, reason });
    // Whoever waits for it to run waits in vain.
    for (const operation of await runningOperations(tx, { tenantId, requestId: id })) {
      if (!["create", "start", "reboot"].includes(operation.kind)) continue;
      const outcome = { state: "failed", reason } as const;
      await endOperation(tx, { tenantId, id: operation.id, outcome, at: now() });
    }
  }
}

/** What is held was set aside for exactly this: it is spent before anything stops. */
function leftOf({ available, held }: Credit): bigint {
  return available + held;
}

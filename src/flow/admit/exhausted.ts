/**
 * Stopped means stopped (invariant 8): when nothing is left on a tenant's balance, leases are
 * stopped (their disks stay) and jobs canceled, with the reason. A subscription goes on: its compute
 * is paid.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Credit } from "#flow/ledger/decide.ts";
import { credit, lockCredit } from "#flow/ledger/accounts.ts";
import type { Reason } from "#kernel/reason.ts";
import { formatFen } from "#kernel/money.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { haltWork, lockRunning } from "./halt.ts";

const spendingRow = z.object({ tenant_id: z.string() });

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
          where r.ended_at is null and r.wanted = 'running' and r.plan = 'on_demand'`,
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
      const running = await lockRunning(tx, tenantId);
      const work = running.filter(({ plan }) => plan === "on_demand");
      const left = await lockCredit(tx, tenantId);
      if (leftOf(left) > 0n || work.length === 0) return;
      const reason: Reason = {
        code: "insufficient_credit",
        message: "The balance is used up. Top up and start again.",
        details: { available: formatFen(left.available), held: formatFen(left.held) },
      };
      await haltWork(tx, { tenantId, work, reason, at: now() });
    });
  }
}

/** What is held was set aside for exactly this: it is spent before anything stops. */
function leftOf({ available, held }: Credit): bigint {
  return available + held;
}

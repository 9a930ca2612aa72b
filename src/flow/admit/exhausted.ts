/**
 * Stopped means stopped (invariant 8): when nothing is left on a tenant's balance, leases are
 * stopped (their disks stay) and jobs canceled, with the reason.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { lockCredit } from "#flow/ledger/store.ts";
import type { Reason } from "#kernel/reason.ts";
import { formatFen } from "#kernel/money.ts";
import type { LoopDefinition } from "#loops/loop.ts";

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
      for (const { tenant_id: tenantId } of spending) await stopIfExhausted(tenantId);
      return "rest";
    },
  };

  async function stopIfExhausted(tenantId: string): Promise<void> {
    await db.transaction(async (tx) => {
      const credit = await lockCredit(tx, tenantId);
      // What is held was set aside for exactly this: it is spent before anything stops.
      const left = credit.available + credit.held;
      if (left > 0n) return;
      const reason: Reason = {
        code: "insufficient_credit",
        message: "The balance is used up. Top up and start again.",
        details: { available: formatFen(credit.available), held: formatFen(credit.held) },
      };
      const open = await tx.rows(
        sql`select id, kind from request
          where tenant_id = ${tenantId} and ended_at is null and wanted = 'running'
          order by id for no key update`,
        openRow,
      );
      for (const { id, kind } of open) {
        const wanted = kind === "lease" ? "stopped" : "released";
        await setWanted(tx, { tenantId, id, wanted, at: now() });
        await setReason(tx, { tenantId, id, reason });
      }
      if (open.length > 0) await tx.nudge("request");
    });
  }
}

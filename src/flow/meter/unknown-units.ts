/**
 * Usage of a SKU whose unit nobody knows: it can be no event and has no price, so its tenant's days are
 * not posted beyond it, and somebody is told until it is mended. Nobody else waits for it.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";

import { unitOf } from "./event.ts";

interface Held {
  readonly tenantId: string;
  readonly sku: string;
}

/** Of intervals that were looked at just now: one alert for each tenant, until nothing of it is left. */
export async function sayUnknownUnits(tx: Tx, held: readonly Held[], at: number): Promise<void> {
  const skuOf = new Map(
    held.filter(({ sku }) => unitOf(sku) === undefined).map((each) => [each.tenantId, each.sku]),
  );
  for (const [tenantId, sku] of skuOf) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; hardly ever one
    await raiseAlert(tx, {
      key: keyOf(tenantId),
      kind: "unknown_unit",
      severity: "critical",
      tenantId,
      data: { tenant: tenantId, sku },
      at,
    });
  }
  const mended = held.map(({ tenantId }) => tenantId).filter((id) => !skuOf.has(id));
  for (const tenantId of await withAlert(tx, [...new Set(mended)])) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; hardly ever one
    const waiting = await tx.rows(
      sql`select distinct sku from usage_interval
        where tenant_id = ${tenantId} and cut_next_at is not null`,
      z.object({ sku: z.string() }),
    );
    if (waiting.some(({ sku }) => unitOf(sku) === undefined)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await resolveAlert(tx, { key: keyOf(tenantId), by: "cut", at });
  }
}

async function withAlert(tx: Tx, tenantIds: readonly string[]): Promise<string[]> {
  if (tenantIds.length === 0) return [];
  const rows = await tx.rows(
    sql`select key from alert where resolved_at is null and key = any(${tenantIds.map(keyOf)})`,
    z.object({ key: z.string() }),
  );
  const open = new Set(rows.map(({ key }) => key));
  return tenantIds.filter((id) => open.has(keyOf(id)));
}

function keyOf(tenantId: string): string {
  return `unknown-unit:${tenantId}`;
}

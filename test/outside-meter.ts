/** Usage as another meter hands it in, and what became of it: for tests of taking it in. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { timeText } from "#flow/meter/event.ts";
import { ingestEvents } from "#flow/meter/ingest.ts";
import type { EventOutcome } from "#flow/meter/outcome.ts";
import { usageReviews } from "#flow/meter/review.ts";
import { sentValues } from "#flow/meter/sent.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone, type TimeZone } from "#kernel/zone.ts";

export const hour = 3_600_000;
export const source = "/meters/rack-7";
export const day = dayStart(billingZone, localDay("2026-05-04"));
export const now = day + 40 * hour;

interface Ask {
  readonly tenant: string;
  readonly id?: string;
  readonly source?: string;
  readonly instance?: string;
  readonly from?: number;
  readonly until?: number;
  readonly sku?: string;
  readonly unit?: string;
  readonly units?: string;
}

export function usage(ask: Ask): Record<string, unknown> {
  const { from = day + 9 * hour, sku = "gpu.T4", unit = "GPU", units = "1" } = ask;
  const { until = from + hour, instance = newId() } = ask;
  return {
    specversion: "1.0",
    type: "compute.usage.recorded.v1",
    source: ask.source ?? source,
    id: ask.id ?? newId(),
    time: timeText(Math.min(until, now)),
    datacontenttype: "application/json",
    data: {
      tenant: ask.tenant,
      project: instance,
      request: instance,
      instance,
      interval: instance,
      work: "lease",
      plan: "on_demand",
      sku,
      unit,
      units,
      slice: 1,
      from: timeText(from),
      until: timeText(until),
      billable: true,
      reason: null,
    },
  };
}

export function takeBack(tenant: string, retracts: string, id = `${retracts}/taken-back`): unknown {
  return {
    specversion: "1.0",
    type: "compute.usage.retracted.v1",
    source,
    id,
    time: timeText(now),
    datacontenttype: "application/json",
    data: { tenant, retracts, reason: "measured twice" },
  };
}

interface OutsideMeter {
  readonly newTenant: (zone?: TimeZone) => Promise<string>;
  readonly send: (values: readonly unknown[], at?: number) => Promise<EventOutcome[]>;
  /** Each outcome as a word, with its reason. */
  readonly said: (values: readonly unknown[], at?: number) => Promise<string[]>;
  /** Unit-hours by day and SKU, as they are rated. */
  readonly rolled: (tenant: string) => Promise<string[]>;
  /** What somebody has to look at. */
  readonly waiting: () => Promise<readonly { readonly id: string; readonly eventId: string }[]>;
}

export function outsideMeter(db: Db): OutsideMeter {
  const send: OutsideMeter["send"] = (values, at = now) =>
    db.transaction((tx) => ingestEvents(tx, sentValues(values), { now: at }));
  return {
    send,
    newTenant: async (zone = billingZone) => {
      const id = newId();
      await db.execute(sql`
        insert into tenant (id, kind, name, display_name, time_zone, created_at)
        values (${id}, 'customer', ${id}, ${id}, ${zone}, now())`);
      return id;
    },
    said: async (values, at = now) =>
      (await send(values, at)).map((each) =>
        "reason" in each ? `${each.outcome} ${each.reason}` : each.outcome,
      ),
    rolled: async (tenant) => {
      const rows = await db.rows(
        sql`select day::text, sku, (unit_seconds / 3600)::text as hours from usage_day
          where tenant_id = ${tenant} and unit_seconds <> 0 order by day, sku, work, slice, plan`,
        z.object({ day: z.string(), sku: z.string(), hours: z.string() }),
      );
      return rows.map((row) => `${row.day} ${row.sku} ${Number(row.hours)}`);
    },
    waiting: () => usageReviews(db, { open: true, after: undefined, limit: 1_000 }),
  };
}

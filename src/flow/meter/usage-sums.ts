/** Usage by stretches of days and by what it is of, exact: for whoever looks at his use. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { rational, type Rational } from "#kernel/rational.ts";

export type SumBy = "sku" | "project" | "resource" | "user";

export interface SumsAsked {
  readonly tenantId: string;
  /** Ascending instants: a stretch goes from each to the next. */
  readonly edges: readonly number[];
  readonly by: SumBy;
  readonly sku: string | undefined;
  readonly now: number;
  readonly rowsMax: number;
}

/** By slice, too: those of one SKU add up as fractions. */
const sumRow = z
  .object({
    bucket: z.int(),
    group: z.string(),
    name: z.string().nullable(),
    sku: z.string(),
    slice: z.int(),
    unit_seconds: z.string(),
  })
  .transform(({ slice, unit_seconds: unitSeconds, ...row }) => ({
    ...row,
    quantity: rational(BigInt(unitSeconds), BigInt(slice)),
  }));

export interface UsageSum {
  /** Of `edges`, from 0. */
  readonly bucket: number;
  readonly group: string;
  readonly name: string | null;
  readonly sku: string;
  readonly quantity: Rational;
}

const groups: Readonly<Record<SumBy, Sql>> = {
  sku: sql`u.sku, null::text`,
  project: sql`u.project_id::text, (select p.name from project p
    where p.tenant_id = u.tenant_id and p.id = u.project_id)`,
  resource: sql`u.request_id::text, r.name`,
  user: sql`coalesce(r.created_by::text, ''), (select t.name from tenant_user t
    where t.tenant_id = u.tenant_id and t.id = r.created_by)`,
};

/**
 * Open intervals count to now. What is not billed, as after a fault of the platform, is left out. What
 * other meters sent in has events only; of our own, the intervals are as far as now, the events are not.
 */
export function usageSums(db: Queryable, of: SumsAsked): Promise<UsageSum[]> {
  const edges = of.edges.map((at) => new Date(Math.min(at, Math.max(of.now, of.edges[0] ?? 0))));
  const from = edges[0] ?? new Date(of.now);
  const until = edges.at(-1) ?? from;
  const sku = of.sku === undefined ? sql`` : sql`and sku = ${of.sku}`;
  return db.rows(
    sql`select bucket, g.group, g.name, sku, slice, sum(units * seconds)::text as unit_seconds
      from (
        select b.bucket::int as bucket, u.sku, u.slice, u.units, ${groups[of.by]},
          floor(extract(epoch from least(coalesce(u.ended_at, b.until), b.until)))
            - floor(extract(epoch from greatest(u.started_at, b.from))) as seconds
        from (
          select tenant_id, project_id, request_id, sku, slice, units::numeric as units,
            started_at, ended_at
          from usage_interval
          where tenant_id = ${of.tenantId} and billable
            and started_at < ${until} and (ended_at is null or ended_at > ${from}) ${sku}
          union all
          select tenant_id, project_id, request_id, sku, slice,
            case kind when 'recorded' then units::numeric else -units::numeric end,
            used_from, used_until
          from usage_event e
          where tenant_id = ${of.tenantId} and billable and counted
            and used_from < ${until} and used_until > ${from} ${sku}
            and not exists (select from usage_interval i
              where i.tenant_id = e.tenant_id and i.id = e.interval_id)
        ) u
        left join request r on r.tenant_id = u.tenant_id and r.id = u.request_id
        join (
          select ordinality - 1 as bucket, f as from, t as until
          from unnest(${edges.slice(0, -1)}::timestamptz[], ${edges.slice(1)}::timestamptz[])
            with ordinality as edge(f, t, ordinality)
        ) b on u.started_at < b.until and (u.ended_at is null or u.ended_at > b.from)
      ) as g (bucket, sku, slice, units, "group", name, seconds)
      where seconds > 0
      group by bucket, g.group, g.name, sku, slice having sum(units * seconds) <> 0
      order by bucket, g.group, sku, slice limit ${of.rowsMax}`,
    sumRow,
  );
}

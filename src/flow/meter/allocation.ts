/**
 * Is what hosts hold what is metered? At this moment, machine by machine: GPUs, cores and memory of its
 * placement beside its open intervals. A machine that boots or ends holds capacity and is free
 * (R-PAYG-6); one that is resized, or whose last transition is not metered yet, is looked at another time.
 * Disks are left out: they are held from `created` to `deleted`, whatever runs.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const differencesMax = 100;

const sumRow = z.object({
  sku: z.string(),
  allocated: z.string(),
  starting: z.string(),
  metered: z.string(),
});

const differenceRow = z.object({
  tenantId: z.string(),
  kind: z.enum(["lease", "job"]),
  requestId: z.string(),
  name: z.string(),
  sku: z.string(),
  allocated: z.string(),
  metered: z.string(),
});

const answerRow = z.object({
  machines: z.int(),
  starting: z.int(),
  changing: z.int(),
  sums: z.array(sumRow),
  differences: z.array(differenceRow),
});

export type Allocation = z.output<typeof answerRow>;

/** Quantities are decimals of GPUs, cores and GiB. One statement, so that all of it is of one moment. */
export function compareAllocation(db: Queryable): Promise<Allocation> {
  return db.one(
    sql`
    with machine as (
      select i.tenant_id, i.id, i.request_id, p.shape,
        coalesce(p.state = 'full', false) as holds,
        case r.kind when 'lease' then (i.metering ->> 'ready')::boolean
          else (i.metering ->> 'workloadStarted')::boolean
            and not (i.metering ->> 'workloadEnded')::boolean end as in_use,
        i.pending_resize or i.call is not null
          or coalesce(c.known_seq > c.metered_seq, false) as changing
      from instance i
        join request r on r.tenant_id = i.tenant_id and r.id = i.request_id
        left join placement p on p.tenant_id = i.tenant_id and p.instance_id = i.id
        left join meter_cursor c on c.tenant_id = i.tenant_id and c.instance_id = i.id
      where p.state = 'full' or exists (select from usage_interval u
        where u.tenant_id = i.tenant_id and u.instance_id = i.id and u.ended_at is null
          and u.sku <> 'storage')
    ), allocated as (
      select m.tenant_id, m.id, part.sku, part.quantity from machine m
        cross join lateral (values
          ('cpu.core', (m.shape ->> 'vcpus')::numeric),
          ('mem.gib', (m.shape ->> 'memoryMiB')::numeric / 1024),
          ('gpu.' || (m.shape -> 'gpu' ->> 'model'),
            (m.shape -> 'gpu' ->> 'count')::numeric / (m.shape -> 'gpu' ->> 'slice')::numeric)
        ) as part(sku, quantity)
      where m.holds and part.sku is not null
    ), metered as (
      select u.tenant_id, u.instance_id as id, u.sku, sum(u.units::numeric / u.slice) as quantity
      from usage_interval u join machine m on m.tenant_id = u.tenant_id and m.id = u.instance_id
      where u.ended_at is null and u.sku <> 'storage'
      group by 1, 2, 3
    ), beside as (
      select tenant_id, id, sku, coalesce(a.quantity, 0) as allocated,
        coalesce(u.quantity, 0) as metered
      from allocated a full join metered u using (tenant_id, id, sku)
    ), sums as (
      select b.sku, sum(b.allocated) as allocated, sum(b.metered) as metered,
        coalesce(sum(b.allocated) filter (where not m.in_use), 0) as starting
      from beside b join machine m using (tenant_id, id) group by b.sku
    ), different as (
      select b.tenant_id, r.kind, m.request_id, r.name, b.sku, b.allocated, b.metered
      from beside b join machine m using (tenant_id, id)
        join request r on r.tenant_id = m.tenant_id and r.id = m.request_id
      where not m.changing and round(b.metered, 9)
        <> round(case when m.in_use then b.allocated else 0 end, 9)
      order by b.tenant_id, m.request_id, b.sku limit ${differencesMax}
    )
    select
      (select count(*)::int from machine where holds) as machines,
      (select count(*)::int from machine where holds and not in_use) as starting,
      (select count(*)::int from machine where changing) as changing,
      (select coalesce(jsonb_agg(jsonb_build_object('sku', sku,
          'allocated', trim_scale(round(allocated, 6))::text,
          'starting', trim_scale(round(starting, 6))::text,
          'metered', trim_scale(round(metered, 6))::text) order by sku), '[]') from sums) as sums,
      (select coalesce(jsonb_agg(jsonb_build_object('tenantId', tenant_id, 'kind', kind,
          'requestId', request_id, 'name', name, 'sku', sku,
          'allocated', trim_scale(round(allocated, 6))::text,
          'metered', trim_scale(round(metered, 6))::text)), '[]') from different) as differences`,
    answerRow,
  );
}

-- What a machine takes of a host beside what it was sold, as the host's platform says it: placements
-- hold that too, so what is left of a host is what its platform can run. Null: nothing.
alter table host add column machine_costs jsonb;

-- The pages that hold its memory, where the platform chooses them; null: as the shape says.
alter table placement
  add column huge_pages text check (huge_pages in ('none', '2Mi', '1Gi'));

create or replace view placement_load as
  select host_id,
    coalesce(sum(milli_cpus) filter (where state = 'full'), 0)::int8 as milli_cpus_used,
    coalesce(sum(memory_bytes) filter (where state = 'full'), 0)::int8 as memory_used,
    sum(disk_bytes)::int8 as disk_used,
    coalesce(sum((shape->>'memoryMiB')::int8) filter (where state = 'full'
      and coalesce(huge_pages, shape->>'hugePages') = '2Mi'), 0)::int8 as huge_2,
    coalesce(sum((shape->>'memoryMiB')::int8) filter (where state = 'full'
      and coalesce(huge_pages, shape->>'hugePages') = '1Gi'), 0)::int8 as huge_1024,
    coalesce(jsonb_agg(distinct tenant_id)
      filter (where (shape->>'antiAffinity')::boolean and state = 'full'), '[]') as anti
  from placement where state <> 'none' group by host_id;

-- The wall against overselling, made to hold in three more cases: when the statement runs as a
-- tenant (row-level security would hide what others hold), when two transactions commit at once
-- without the placer's lock, and at a change that takes nothing more (which then needs no lock).

create or replace function check_host_capacity() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  over record;
begin
  -- One at a time on one host: otherwise neither of two would see the other's rows.
  perform from host where id = new.host_id for no key update;
  select h.name, h.cpus, h.memory_bytes, h.disk_bytes,
      sum(p.milli_cpus) filter (where p.state = 'full') as cpus_used,
      sum(p.memory_bytes) filter (where p.state = 'full') as memory_used,
      sum(p.disk_bytes) as disk_used
    into over
    from host h join placement p on p.host_id = h.id and p.state <> 'none'
    where h.id = new.host_id
    group by h.id;
  if over.cpus_used > over.cpus * 1000 or over.memory_used > over.memory_bytes
      or over.disk_used > over.disk_bytes then
    raise exception 'host % would be oversold: cpu % of %, memory % of %, disk % of %', over.name,
      over.cpus_used, over.cpus * 1000, over.memory_used, over.memory_bytes, over.disk_used,
      over.disk_bytes using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
  return null;
end
$$;

drop trigger placement_capacity on placement;
create constraint trigger placement_capacity after insert on placement
  deferrable initially immediate
  for each row when (new.state <> 'none') execute function check_host_capacity();
create constraint trigger placement_growth after update on placement
  deferrable initially immediate
  for each row when (
    new.state <> 'none' and (old.state = 'none' or new.disk_bytes > old.disk_bytes
      or new.host_id <> old.host_id)
    or new.state = 'full' and (old.state <> 'full' or new.milli_cpus > old.milli_cpus
      or new.memory_bytes > old.memory_bytes))
  execute function check_host_capacity();

create or replace function check_gpu_capacity() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  over record;
begin
  perform from host where id = new.host_id for no key update;
  select d.id, d.slices_max, d.isolation, count(*) as claims, min(c.slice) as low,
      max(c.slice) as high, count(distinct c.tenant_id) as tenants
    into over
    from gpu_device d join gpu_claim c on c.host_id = d.host_id and c.device_id = d.id
    where d.host_id = new.host_id and d.id = new.device_id
    group by d.host_id, d.id;
  if over.low <> over.high or over.claims > over.high or over.high > over.slices_max
      or (over.isolation = 'soft' and over.tenants > 1) then
    raise exception 'GPU % would be oversold: % claims, slices 1/% to 1/%', over.id, over.claims,
      over.low, over.high using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  return null;
end
$$;

-- What hosts and devices carry, whoever asks: a tenant's own view of `placement` would call full
-- hosts empty. They hold sums and the ids that placement decides by, nothing of what runs.
create view placement_load as
  select host_id,
    coalesce(sum(milli_cpus) filter (where state = 'full'), 0)::int8 as milli_cpus_used,
    coalesce(sum(memory_bytes) filter (where state = 'full'), 0)::int8 as memory_used,
    sum(disk_bytes)::int8 as disk_used,
    coalesce(sum((shape->>'memoryMiB')::int8)
      filter (where state = 'full' and shape->>'hugePages' = '2Mi'), 0)::int8 as huge_2,
    coalesce(sum((shape->>'memoryMiB')::int8)
      filter (where state = 'full' and shape->>'hugePages' = '1Gi'), 0)::int8 as huge_1024,
    coalesce(jsonb_agg(distinct tenant_id)
      filter (where (shape->>'antiAffinity')::boolean and state = 'full'), '[]') as anti
  from placement where state <> 'none' group by host_id;
create view gpu_load as
  select host_id, device_id, max(slice) as slice, count(*)::int as claims,
    jsonb_agg(distinct tenant_id) as tenants
  from gpu_claim group by host_id, device_id;

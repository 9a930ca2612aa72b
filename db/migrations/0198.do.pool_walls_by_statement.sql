-- The walls of 0181, once for each statement instead of once for each row: a batch of starts pays one
-- look at each pool (1000 placements on 100 hosts of a pool with a reserve, on a busy machine: 15 to
-- 24 s before, 1 s after). The rules are the same, and so are the constraints that refusals carry.

drop trigger placement_pool on placement;
drop trigger placement_pool_growth on placement;
drop trigger gpu_claim_pool on gpu_claim;
drop function check_pool_of_placement();
drop function check_pool_of_claim();

-- What took something, and whether a reserve is closed to it.
create type taken as (tenant_id uuid, instance_id uuid, ordinary boolean);

create function check_taken(keys taken[]) returns void
  language plpgsql security definer set search_path = public
  as $$
declare
  bad record;
begin
  if keys = '{}' then
    return;
  end if;
  perform from host where id in (
    select p.host_id from unnest(keys) k join placement p using (tenant_id, instance_id)
  ) order by id for no key update;

  select h.name, why into bad
    from unnest(keys) k join placement p using (tenant_id, instance_id)
      join host h on h.id = p.host_id,
      lateral (select case when h.pool_id is null and p.shape->>'pool' is null then null
        else pool_refuses(h.pool_id, p.tenant_id, p.shape) end) as rule (why)
    where why is not null limit 1;
  if found then
    raise exception 'host % does not take this: %', bad.name, bad.why
      using errcode = 'check_violation', constraint = 'host_capacity';
  end if;

  select p.milli_cpus, p.shape->>'vcpus' as vcpus into bad
    from unnest(keys) k join placement p using (tenant_id, instance_id)
    where p.state = 'full' and p.shape->>'serviceClass' = 'core'
      and p.milli_cpus < (p.shape->>'vcpus')::int * 1000 limit 1;
  if found then
    raise exception 'class core is never oversold: % milli CPUs for % vCPUs', bad.milli_cpus,
      bad.vcpus using errcode = 'check_violation', constraint = 'host_capacity';
  end if;

  select h.name, node.numa_node, node.milli_cpus, node.memory_bytes,
      (h.numa->node.numa_node->>'cpus')::int8 * 1000 as has_cpus,
      (h.numa->node.numa_node->>'memoryBytes')::int8 as has_memory
    into bad
    from (
      select p.host_id, p.numa_node, sum(p.milli_cpus) as milli_cpus,
        sum(p.memory_bytes) as memory_bytes
      from placement p
      where p.state = 'full' and (p.host_id, p.numa_node) in (
        select t.host_id, t.numa_node
        from unnest(keys) k join placement t using (tenant_id, instance_id)
        where t.state = 'full' and t.numa_node is not null)
      group by p.host_id, p.numa_node
    ) as node join host h on h.id = node.host_id
    where jsonb_array_length(h.numa) <= node.numa_node
      or node.milli_cpus > (h.numa->node.numa_node->>'cpus')::int8 * 1000
      or node.memory_bytes > (h.numa->node.numa_node->>'memoryBytes')::int8
    limit 1;
  if found then
    raise exception 'NUMA node % of host % would be oversold: cpu % of %, memory % of %',
      bad.numa_node, bad.name, bad.milli_cpus, bad.has_cpus, bad.memory_bytes, bad.has_memory
      using errcode = 'check_violation', constraint = 'host_capacity';
  end if;

  perform check_reserves(array(
    select distinct h.pool_id
    from unnest(keys) k join placement p using (tenant_id, instance_id)
      join host h on h.id = p.host_id
    where k.ordinary and p.state = 'full' and h.pool_id is not null and h.state = 'up'
      and h.schedulable));
end
$$;

-- CPUs and memory of these pools.
create function check_reserves(pool_ids uuid[]) returns void
  language plpgsql security definer set search_path = public
  as $$
declare
  bad record;
begin
  if pool_ids = '{}' then
    return;
  end if;
  perform from pool where id = any(pool_ids) and reserve_percent > 0 order by id
    for no key update;
  if not found then
    return;
  end if;
  select p.reserve_percent as reserve, has.*, held.* into bad
    from pool p,
      lateral (select sum(h.cpus)::int8 * 1000 as milli_cpus, sum(h.memory_bytes) as memory
        from host h where h.pool_id = p.id and h.state = 'up' and h.schedulable) as has,
      lateral (select sum(u.milli_cpus) as milli_cpus_used, sum(u.memory_bytes) as memory_used
        from placement u join host h on h.id = u.host_id
        where h.pool_id = p.id and h.state = 'up' and h.schedulable and u.state = 'full') as held
    where p.id = any(pool_ids) and p.reserve_percent > 0
      and (held.milli_cpus_used * 100 > has.milli_cpus * (100 - p.reserve_percent)
        or held.memory_used * 100 > has.memory * (100 - p.reserve_percent))
    limit 1;
  if found then
    raise exception 'the reserve of % %% would be used: cpu % of %, memory % of %', bad.reserve,
      bad.milli_cpus_used, bad.milli_cpus, bad.memory_used, bad.memory
      using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
end
$$;

create function check_placements_added() returns trigger
  language plpgsql security definer set search_path = public
  as $$
begin
  perform check_taken(array(
    select (tenant_id, instance_id, not after_fault)::taken from added where state <> 'none'));
  return null;
end
$$;
create trigger placement_pools after insert on placement
  referencing new table as added for each statement execute function check_placements_added();

-- A machine that came after a fault may use the reserve; one that grows afterwards may not.
create function check_placements_changed() returns trigger
  language plpgsql security definer set search_path = public
  as $$
begin
  perform check_taken(array(
    select (n.tenant_id, n.instance_id, not n.after_fault or o.state = 'full')::taken
    from added n join before o using (tenant_id, instance_id)
    where n.state <> 'none' and (o.state = 'none' or n.host_id <> o.host_id or n.shape <> o.shape)
      or n.state = 'full' and (o.state <> 'full' or n.milli_cpus > o.milli_cpus
        or n.memory_bytes > o.memory_bytes or n.numa_node is distinct from o.numa_node)));
  return null;
end
$$;
create trigger placement_pools_changed after update on placement
  referencing old table as before new table as added
  for each statement execute function check_placements_changed();

create function check_claims() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  bad record;
begin
  perform from host where id in (select host_id from added) order by id for no key update;
  select d.id, h.name, case
      when tg_op = 'INSERT' and not (d.healthy and d.present) then 'is sick or gone'
      when a.slice > 1 and d.mode = 'whole' then 'is not cut'
      else format('takes no 1/%s: slices are up to 1/%s in its pool', a.slice, p.slices_max)
    end as why
    into bad
    from added a join gpu_device d on d.host_id = a.host_id and d.id = a.device_id
      join host h on h.id = a.host_id left join pool p on p.id = h.pool_id
    where tg_op = 'INSERT' and not (d.healthy and d.present)
      or a.slice > 1 and d.mode = 'whole' or a.slice > p.slices_max
    limit 1;
  if found then
    raise exception 'GPU % of host % %', bad.id, bad.name, bad.why
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;

  perform from pool where reserve_percent > 0 and id in (
    select h.pool_id from added a join host h on h.id = a.host_id
  ) order by id for no key update;
  if not found then
    return null;
  end if;
  -- The devices that a machine was placed with are its own; one that it gets later is growth.
  with asked as (
    select distinct h.pool_id, d.model
    from added a join host h on h.id = a.host_id
      join gpu_device d on d.host_id = a.host_id and d.id = a.device_id
      join placement p on p.tenant_id = a.tenant_id and p.instance_id = a.instance_id
    where h.state = 'up' and h.schedulable and d.healthy
      and not (p.after_fault and p.device_ids ? a.device_id)
  )
  select p.reserve_percent as reserve, asked.model, has.devices, held.units into bad
    from asked join pool p on p.id = asked.pool_id and p.reserve_percent > 0,
      lateral (select count(*) as devices
        from host h join gpu_device d on d.host_id = h.id
        where h.pool_id = p.id and h.state = 'up' and h.schedulable and d.present and d.healthy
          and d.model = asked.model) as has,
      -- Whole devices are 720720, which 1 to 16 divide, so that sums of slices are exact.
      lateral (select coalesce(sum(720720 / c.slice), 0)::int8 as units
        from host h join gpu_device d on d.host_id = h.id
          join gpu_claim c on c.host_id = d.host_id and c.device_id = d.id
        where h.pool_id = p.id and h.state = 'up' and h.schedulable and d.present and d.healthy
          and d.model = asked.model) as held
    where held.units * 100 > has.devices * 720720 * (100 - p.reserve_percent)
    limit 1;
  if found then
    raise exception 'the reserve of % %% would be used: % of % %', bad.reserve,
      round(bad.units / 720720.0, 2), bad.devices, bad.model
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  return null;
end
$$;
create trigger gpu_claim_pools after insert on gpu_claim
  referencing new table as added for each statement execute function check_claims();
create trigger gpu_claim_pools_changed after update on gpu_claim
  referencing new table as added for each statement execute function check_claims();

-- The second wall behind the placer, for pools: whoever commits, a pool serves only whom and what it
-- is for, its reserve is left to work after a fault, a sick or uncut GPU takes no slice. Refusals
-- carry the constraints of 0040 (`host_capacity`, `gpu_capacity`), because to the committer they are
-- the same answer: not there, look again.
--
-- Locks: the host's row, then the pool's row if it has a reserve. Whoever writes to several hosts in
-- one transaction locks the hosts in order of id, then their pools in order of id.

-- Why a host of this pool (null: of none) does not take such work, and null if it does.
create function pool_refuses(pool_id uuid, tenant_id uuid, shape jsonb) returns text
  language plpgsql stable security definer set search_path = public
  as $$
declare
  p record;
  slice int := coalesce((shape->'gpu'->>'slice')::int, 1);
begin
  select pool.* into p from pool where pool.id = pool_refuses.pool_id;
  if p is null then
    return case when shape->>'pool' is not null
      then format('it is for the pool %s only', shape->>'pool') end;
  end if;
  if shape->>'pool' <> p.name then
    return format('it is for the pool %s only', shape->>'pool');
  end if;
  if p.policy = 'edge' and shape->>'pool' is null then
    return 'an edge pool takes only what names it';
  end if;
  if exists (select from pool_tenant t where t.pool_id = p.id)
      and not exists (select from pool_tenant t
        where t.pool_id = p.id and t.tenant_id = pool_refuses.tenant_id) then
    return 'the pool is dedicated to other tenants';
  end if;
  if p.service_class not in ('any', shape->>'serviceClass') then
    return format('class %s does not go to a pool of class %s', shape->>'serviceClass',
      p.service_class);
  end if;
  if slice > p.slices_max then
    return format('slices of 1/%s are beyond 1/%s of the pool', slice, p.slices_max);
  end if;
  return null;
end
$$;

-- What the hosts of a pool that take work have, and what is held of them.
create view pool_room as
  select h.pool_id, sum(h.cpus)::int8 * 1000 as milli_cpus, sum(h.memory_bytes)::int8 as memory,
    coalesce(sum(u.milli_cpus_used), 0)::int8 as milli_cpus_used,
    coalesce(sum(u.memory_used), 0)::int8 as memory_used
  from host h left join placement_load u on u.host_id = h.id
  where h.pool_id is not null and h.state = 'up' and h.schedulable
  group by h.pool_id;
-- Whole devices are 720720, which 1 to 16 divide, so that sums of slices are exact.
create view pool_gpu_room as
  select h.pool_id, d.model, count(*)::int8 * 720720 as units,
    coalesce(sum(l.claims * (720720 / l.slice)), 0)::int8 as units_used
  from host h
    join gpu_device d on d.host_id = h.id and d.present and d.healthy
    left join gpu_load l on l.host_id = d.host_id and l.device_id = d.id
  where h.pool_id is not null and h.state = 'up' and h.schedulable
  group by h.pool_id, d.model;

create function check_pool_of_placement() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  h record;
  why text;
  reserve int;
  room record;
  node record;
begin
  perform from host where id = new.host_id for no key update;
  select * into h from host where id = new.host_id;
  why := pool_refuses(h.pool_id, new.tenant_id, new.shape);
  if why is not null then
    raise exception 'host % does not take this: %', h.name, why
      using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
  if new.state <> 'full' then
    return null;
  end if;
  if new.shape->>'serviceClass' = 'core'
      and new.milli_cpus < (new.shape->>'vcpus')::int * 1000 then
    raise exception 'class core is never oversold: % milli CPUs for % vCPUs', new.milli_cpus,
      new.shape->>'vcpus' using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
  if new.numa_node is not null then
    select (h.numa->new.numa_node->>'cpus')::int8 * 1000 as milli_cpus,
        (h.numa->new.numa_node->>'memoryBytes')::int8 as memory,
        sum(milli_cpus) as milli_cpus_used, sum(memory_bytes) as memory_used
      into node from placement
      where host_id = new.host_id and state = 'full' and numa_node = new.numa_node;
    if node.milli_cpus is null or node.milli_cpus_used > node.milli_cpus
        or node.memory_used > node.memory then
      raise exception 'NUMA node % of host % would be oversold: cpu % of %, memory % of %',
        new.numa_node, h.name, node.milli_cpus_used, node.milli_cpus, node.memory_used, node.memory
        using errcode = 'check_violation', constraint = 'host_capacity';
    end if;
  end if;
  -- A machine that came after a fault may use the reserve; one that grows afterwards may not.
  if new.after_fault and (tg_op = 'INSERT' or old.state <> 'full') then
    return null;
  end if;
  select reserve_percent into reserve from pool where id = h.pool_id and reserve_percent > 0
    for no key update;
  if not found or h.state <> 'up' or not h.schedulable then
    return null;
  end if;
  select * into room from pool_room where pool_id = h.pool_id;
  if room.milli_cpus_used * 100 > room.milli_cpus * (100 - reserve)
      or room.memory_used * 100 > room.memory::numeric * (100 - reserve) then
    raise exception 'the reserve of % %% would be used: cpu % of %, memory % of %', reserve,
      room.milli_cpus_used, room.milli_cpus, room.memory_used, room.memory
      using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
  return null;
end
$$;
create constraint trigger placement_pool after insert on placement
  deferrable initially immediate
  for each row when (new.state <> 'none') execute function check_pool_of_placement();
create constraint trigger placement_pool_growth after update on placement
  deferrable initially immediate
  for each row when (
    new.state <> 'none' and (old.state = 'none' or new.host_id <> old.host_id
      or new.shape <> old.shape)
    or new.state = 'full' and (old.state <> 'full' or new.milli_cpus > old.milli_cpus
      or new.memory_bytes > old.memory_bytes or new.numa_node is distinct from old.numa_node))
  execute function check_pool_of_placement();

create function check_pool_of_claim() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  h record;
  d record;
  held record;
  reserve int;
  room record;
begin
  perform from host where id = new.host_id for no key update;
  select * into h from host where id = new.host_id;
  select * into d from gpu_device where host_id = new.host_id and id = new.device_id;
  if tg_op = 'INSERT' and not (d.healthy and d.present) then
    raise exception 'GPU % of host % is sick or gone', d.id, h.name
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  if new.slice > 1 and d.mode = 'whole' then
    raise exception 'GPU % of host % is not cut', d.id, h.name
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  if exists (select from pool where id = h.pool_id and new.slice > slices_max) then
    raise exception 'GPU % of host %: slices of 1/% are beyond its pool', d.id, h.name, new.slice
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  select reserve_percent into reserve from pool where id = h.pool_id and reserve_percent > 0
    for no key update;
  if not found or h.state <> 'up' or not h.schedulable or not d.healthy then
    return null;
  end if;
  -- The devices that a machine was placed with are its own; one that it gets later is growth.
  select after_fault, device_ids into held from placement
    where tenant_id = new.tenant_id and instance_id = new.instance_id;
  if held.after_fault and held.device_ids ? new.device_id then
    return null;
  end if;
  select * into room from pool_gpu_room where pool_id = h.pool_id and model = d.model;
  if room.units_used * 100 > room.units * (100 - reserve) then
    raise exception 'the reserve of % %% would be used: % of % %', reserve,
      round(room.units_used / 720720.0, 2), room.units / 720720, d.model
      using errcode = 'check_violation', constraint = 'gpu_capacity';
  end if;
  return null;
end
$$;
create constraint trigger gpu_claim_pool after insert or update on gpu_claim
  deferrable initially immediate
  for each row execute function check_pool_of_claim();

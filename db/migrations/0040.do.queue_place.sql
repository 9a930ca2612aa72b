-- Queue: one entry for each time that a request needs capacity.
create table queue_entry (
  tenant_id uuid not null,
  request_id uuid not null,
  turn int not null,
  -- 0 is first.
  priority int not null,
  enqueued_at timestamptz(3) not null,
  state text not null default 'waiting' check (state in ('waiting', 'placed', 'withdrawn')),
  -- Why it still waits: the last answer of placement.
  refusal jsonb,
  refused_at timestamptz(3),
  primary key (tenant_id, request_id, turn),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('queue_entry');
create index queue_entry_waiting on queue_entry (priority, enqueued_at, request_id)
  where state = 'waiting';

-- Place: what an instance holds of a host. `full` holds everything, `disk` (a stopped lease) only
-- the disk, `none` nothing any more.
create table placement (
  tenant_id uuid not null,
  instance_id uuid not null,
  request_id uuid not null,
  turn int not null,
  host_id uuid not null references host,
  milli_cpus int not null check (milli_cpus >= 0),
  memory_bytes int8 not null check (memory_bytes >= 0),
  disk_bytes int8 not null check (disk_bytes >= 0),
  shape jsonb not null,
  state text not null check (state in ('full', 'disk', 'none')),
  placed_at timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (tenant_id, instance_id),
  unique (tenant_id, request_id, turn),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('placement');
create index placement_of_host on placement (host_id) where state <> 'none';

create table gpu_claim (
  tenant_id uuid not null,
  instance_id uuid not null,
  host_id uuid not null,
  device_id text not null,
  -- 1 is the whole device, n is one n-th of it.
  slice int not null check (slice >= 1),
  primary key (tenant_id, instance_id, device_id),
  foreign key (host_id, device_id) references gpu_device (host_id, id),
  foreign key (tenant_id, instance_id) references placement (tenant_id, instance_id)
);
select protect_tenant_table('gpu_claim');
create index gpu_claim_of_device on gpu_claim (host_id, device_id);

-- The second wall behind the placer (invariant 4): whatever process commits, a host is never
-- oversold, a device never shared beyond its slices, a soft slice never shared between tenants.
create function check_host_capacity() returns trigger
  language plpgsql
  as $$
declare
  over record;
begin
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
create constraint trigger placement_capacity after insert or update on placement
  deferrable initially immediate
  for each row when (new.state <> 'none') execute function check_host_capacity();

create function check_gpu_capacity() returns trigger
  language plpgsql
  as $$
declare
  over record;
begin
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
create constraint trigger gpu_claim_capacity after insert or update on gpu_claim
  deferrable initially immediate
  for each row execute function check_gpu_capacity();

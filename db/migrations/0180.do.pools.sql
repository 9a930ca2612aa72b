-- Pools: selections of hosts that are sold in one way (R-POOL-01 to 06), and what placement has to
-- know of a host beyond its sizes: NUMA nodes, NVLink groups, how a GPU is cut, whether it is well.

create table pool (
  id uuid primary key,
  name text not null unique,
  -- exclusive: whole devices only; shared: slices too; edge: only for work that names the pool.
  policy text not null check (policy in ('exclusive', 'shared', 'edge')),
  service_class text not null check (service_class in ('core', 'standard', 'any')),
  -- Most slices of one device, as far as the device can.
  slices_max int not null check (slices_max between 1 and 16),
  -- Share of its capacity that only work after a fault may use.
  reserve_percent int not null check (reserve_percent between 0 and 90),
  spread boolean not null,
  created_at timestamptz(3) not null default now(),
  check (policy <> 'exclusive' or slices_max = 1),
  -- R-POOL-05.
  check (service_class <> 'core' or reserve_percent >= 20)
);

-- A pool with rows here serves these tenants and nobody else.
create table pool_tenant (
  tenant_id uuid not null references tenant,
  pool_id uuid not null references pool on delete cascade,
  primary key (tenant_id, pool_id)
);
select protect_tenant_table('pool_tenant');
create index pool_tenant_of_pool on pool_tenant (pool_id);

alter table host add column pool_id uuid references pool;
create index host_of_pool on host (pool_id);
-- Of each node: {cpus, memoryBytes}; empty where the platform does not say.
alter table host add column numa jsonb not null default '[]';

-- What was recorded before says how it is cut by its isolation and its model.
alter table gpu_device
  add column mode text check (mode in ('whole', 'vgpu', 'mig', 'shared')),
  add column numa_node int check (numa_node >= 0),
  add column nvlink_group text,
  -- Two words, so that neither overrules the other: it is well when nobody calls it sick.
  add column sick_by_platform boolean not null default false,
  add column sick_by_operator boolean not null default false,
  -- What the operator wrote down about it.
  add column sick_note text,
  add column healthy boolean not null
    generated always as (not (sick_by_platform or sick_by_operator)) stored;
update gpu_device set mode = case
  when slices_max = 1 then 'whole'
  when isolation = 'soft' then 'shared'
  when model ~ '^(A100|H100)' then 'mig'
  else 'vgpu' end;
alter table gpu_device alter column mode set not null;

-- The reserve is for what came after a fault; work that is bound to a NUMA node says which.
alter table placement
  add column after_fault boolean not null default false,
  add column numa_node int check (numa_node >= 0);

-- Views see all rows, whoever asks (0110): a tenant's own view of `pool_tenant` would call a pool
-- that is dedicated to others open. It holds ids that only placement reads.
create view pool_state as
  select p.id, jsonb_build_object('id', p.id, 'name', p.name, 'policy', p.policy,
      'serviceClass', p.service_class, 'slicesMax', p.slices_max,
      'reservePercent', p.reserve_percent, 'spread', p.spread,
      'tenantIds', (select jsonb_agg(t.tenant_id order by t.tenant_id) from pool_tenant t
        where t.pool_id = p.id)) as state
  from pool p;
create view numa_load as
  select host_id, jsonb_agg(jsonb_build_object('node', numa_node, 'milliCpus', milli_cpus,
      'memoryBytes', memory_bytes)) as used
  from (
    select host_id, numa_node, sum(milli_cpus) as milli_cpus, sum(memory_bytes) as memory_bytes
    from placement where state = 'full' and numa_node is not null group by host_id, numa_node
  ) as by_node
  group by host_id;

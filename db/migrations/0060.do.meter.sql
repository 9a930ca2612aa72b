-- Who held what, from when to when. `units`/`slice` is the exact quantity held: a quarter of a GPU
-- is 1/4, 512 MiB of memory is 512/1024 GiB.
create table usage_interval (
  tenant_id uuid not null references tenant,
  id uuid not null,
  instance_id uuid not null,
  request_id uuid not null,
  project_id uuid not null,
  sku text not null,
  units int8 not null check (units > 0),
  slice int not null default 1 check (slice >= 1),
  started_at timestamptz(3) not null,
  -- null while it goes on.
  ended_at timestamptz(3),
  billable boolean not null default true,
  end_reason text,
  -- The transition that opened it: its identity, for ever (R-EVT-2).
  source_seq int not null,
  primary key (tenant_id, id),
  unique (tenant_id, instance_id, sku, source_seq),
  check (ended_at is null or ended_at >= started_at)
);
select protect_tenant_table('usage_interval');
create index usage_interval_time on usage_interval (tenant_id, started_at, id);
create index usage_interval_open on usage_interval (tenant_id, instance_id) where ended_at is null;

-- How far the transitions of an instance have been metered.
create table meter_cursor (
  tenant_id uuid not null,
  instance_id uuid not null,
  metered_seq int not null,
  primary key (tenant_id, instance_id)
);
select protect_tenant_table('meter_cursor');

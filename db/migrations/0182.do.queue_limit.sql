-- What a customer, or one of his projects, may hold at one time and use in a month; looked at each
-- time that work would start. What is over it waits, with that as the reason.
create table queue_limit (
  tenant_id uuid not null references tenant,
  id uuid not null,
  -- null: all of the tenant's projects together.
  project_id uuid,
  -- null: all GPU models together; 'cpu' is work without GPU.
  gpu_model text check (length(gpu_model) between 1 and 64),
  -- In thousandths of a GPU (of a CPU, for 'cpu').
  milli_max int8 check (milli_max >= 0),
  -- GPU-hours of a calendar month.
  month_hours_max int8 check (month_hours_max >= 0),
  -- Fen of a calendar month, at the prices quoted.
  month_fen_max int8 check (month_fen_max >= 0),
  updated_at timestamptz(3) not null,
  primary key (tenant_id, id),
  constraint queue_limit_once unique nulls not distinct (tenant_id, project_id, gpu_model),
  foreign key (tenant_id, project_id) references project (tenant_id, id) on delete cascade,
  -- Money has no model.
  check (month_fen_max is null or gpu_model is null),
  check (num_nonnulls(milli_max, month_hours_max, month_fen_max) > 0)
);
select protect_tenant_table('queue_limit');

-- The share of all GPUs of a model that one customer may hold when nothing else is said of him
-- (S-13). '*' is every model without a row of its own.
create table queue_cap (
  gpu_model text primary key check (length(gpu_model) between 1 and 64),
  percent int not null check (percent between 1 and 100),
  updated_at timestamptz(3) not null default now()
);
insert into queue_cap (gpu_model, percent) values ('*', 100);
revoke insert, update, delete on queue_cap from millrace_tenant;

-- What each project used lately, for fair shares, and in this month, for budgets. Kept by the placer
-- from what runs; thousandths of a GPU (of a CPU, for 'cpu') times milliseconds.
create table share (
  tenant_id uuid not null references tenant,
  project_id uuid not null,
  gpu_model text not null,
  -- Decayed up to `as_of`.
  unit_ms float8 not null check (unit_ms >= 0),
  as_of timestamptz(3) not null,
  -- The month that the next two are of.
  month text not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  month_unit_ms float8 not null check (month_unit_ms >= 0),
  -- At the prices quoted; a bound for budgets, never a bill.
  month_fen numeric(30, 6) not null check (month_fen >= 0),
  primary key (tenant_id, project_id, gpu_model),
  foreign key (tenant_id, project_id) references project (tenant_id, id) on delete cascade
);
select protect_tenant_table('share');
revoke insert, update, delete on share from millrace_tenant;
create index placement_of_request on placement (request_id) where state <> 'none';
create index placement_ended on placement (ended_at) where ended_at is not null;

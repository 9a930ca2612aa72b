-- What was asked for and admitted. `wanted` and `turn` change by later asks (stop, start, release);
-- the stages to the right make it so and close it with `ended_at`.

create table quota_limit (
  tenant_id uuid primary key references tenant,
  limits jsonb not null,
  updated_at timestamptz(3) not null default now()
);
select protect_tenant_table('quota_limit');

create table request (
  tenant_id uuid not null references tenant,
  id uuid not null,
  project_id uuid not null,
  kind text not null check (kind in ('lease', 'job')),
  name text not null,
  created_by uuid not null,
  -- kernel/shape.ts
  shape jsonb not null,
  image text not null,
  login_user text not null,
  ssh_keys jsonb not null,
  user_data text,
  restart text not null check (restart in ('never', 'on-failure')),
  -- The price of an hour as quoted at admission, for display; the rater uses the profile.
  price jsonb not null,
  -- 0 is first. Classes: diamond 10, gold or package 20, ordinary 30.
  priority int not null,
  -- A job's script, inputs and limits; null for a lease.
  workload jsonb,
  wanted text not null check (wanted in ('running', 'stopped', 'released')),
  -- Counts how often capacity was asked for: at creation, at each start, at each retry.
  turn int not null default 1,
  created_at timestamptz(3) not null,
  changed_at timestamptz(3) not null,
  ended_at timestamptz(3),
  -- How it ended, or why it cannot go on: {code, message, details}.
  end_reason jsonb,
  primary key (tenant_id, id),
  foreign key (tenant_id, project_id) references project (tenant_id, id)
);
select protect_tenant_table('request');
create unique index request_lease_name on request (tenant_id, project_id, name)
  where kind = 'lease' and ended_at is null;
create index request_newest on request (tenant_id, kind, created_at desc, id desc);
create index request_open on request (created_at) where ended_at is null;

-- Long work that a caller may wait for.
create table operation (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  kind text not null check (kind in ('create', 'start', 'stop', 'reboot', 'resize', 'release',
    'snapshot', 'revert', 'snapshot-delete')),
  arguments jsonb not null,
  state text not null default 'running'
    check (state in ('running', 'succeeded', 'failed', 'superseded')),
  reason jsonb,
  note text,
  created_at timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('operation');
create index operation_running on operation (tenant_id, request_id, created_at)
  where state = 'running';

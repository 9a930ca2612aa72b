-- Instances: what a provider runs (or ran) for a request.
create table instance (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  project_id uuid not null,
  kind text not null check (kind in ('lease', 'job')),
  turn int not null,
  site text not null references site,
  host_id uuid not null references host,
  -- provider.ts MachineSpec, exactly as it is handed to the driver, so that a repeat is the same.
  spec jsonb not null,
  shape jsonb not null,
  state text not null check (state in ('creating', 'running', 'stopping', 'stopped', 'starting',
    'failed', 'deleting', 'gone')),
  state_since timestamptz(3) not null,
  ready_at timestamptz(3),
  start_kind text,
  endpoints jsonb not null default '[]',
  pending_resize boolean not null default false,
  restarts int not null default 0,
  -- The call to the provider that is under way: {key, native, kind, operationId, issuedAt}.
  call jsonb,
  -- When a complete listing first did not name it.
  missing_since timestamptz(3),
  seen_at timestamptz(3),
  reason jsonb,
  -- Last workload status seen (jobs), and whether its log and results were brought home.
  workload jsonb,
  collected boolean not null default false,
  -- Sum of its transitions: {seq, lastAt, ready, workloadStarted, workloadEnded, created, deleted}.
  metering jsonb not null default '{"seq": 0, "lastAt": 0, "ready": false, "workloadStarted": false,
    "workloadEnded": false, "created": false, "deleted": false}',
  -- Counts changes, so that a decision made on an old look is not applied.
  version int not null default 0,
  created_at timestamptz(3) not null,
  gone_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('instance');
create unique index instance_id_alone on instance (id);
create index instance_of_request on instance (tenant_id, request_id, turn);
create index instance_of_site on instance (site) where state <> 'gone';

-- What happened to an instance, in order; append-only. Metering rests on these rows.
create table transition (
  tenant_id uuid not null,
  instance_id uuid not null,
  seq int not null,
  at timestamptz(3) not null,
  kind text not null check (kind in ('created', 'ready', 'stopped', 'resized', 'workload_started',
    'workload_ended', 'deleted')),
  -- The shape from this moment on, and how we know.
  shape jsonb not null,
  evidence jsonb not null,
  recorded_at timestamptz(3) not null default now(),
  primary key (tenant_id, instance_id, seq),
  foreign key (tenant_id, instance_id) references instance (tenant_id, id)
);
select protect_tenant_table('transition');
create trigger transition_append_only before update or delete on transition
  for each row execute function refuse_change();

-- What a person should know of a request: a wait, a crash, a restart.
create table request_event (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  at timestamptz(3) not null,
  kind text not null,
  message text not null,
  details jsonb not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('request_event');
create index request_event_order on request_event (tenant_id, request_id, at, id);

create table snapshot (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  instance_id uuid not null,
  name text not null,
  with_memory boolean not null,
  state text not null check (state in ('creating', 'ready', 'deleting', 'failed', 'gone')),
  size_bytes int8,
  reason jsonb,
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('snapshot');
create index snapshot_of_request on snapshot (tenant_id, request_id, created_at);

-- Objects at a provider that no row wants: said, and removed after a grace period.
create table orphan (
  site text not null references site,
  machine_id uuid not null,
  first_seen_at timestamptz(3) not null,
  removed_at timestamptz(3),
  detail jsonb not null,
  primary key (site, machine_id)
);

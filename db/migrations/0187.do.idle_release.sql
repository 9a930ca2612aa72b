-- Idle release (src/idle): leases by the hour that nobody uses are warned of, kept as a snapshot and
-- released. A snapshot may from now on outlive its lease, and a lease be made of one.
alter table request
  -- Its machine is made of this snapshot, which outlived its lease.
  add from_snapshot uuid,
  -- When its machine is deleted, this snapshot of its disk stays.
  add keep_snapshot uuid;
create index request_from_snapshot on request (from_snapshot)
  where from_snapshot is not null and ended_at is null;

-- Of a snapshot that outlives its lease: until when.
alter table snapshot add kept_until timestamptz(3);
create index snapshot_kept on snapshot (kept_until)
  where kept_until is not null and state = 'ready';

-- The operator's rules: for one flavor, or for all that have none of their own ('*').
create table idle_policy (
  scope text primary key,
  -- src/idle/rules.ts
  rules jsonb not null,
  changed_at timestamptz(3) not null
);
revoke insert, update, delete on idle_policy from millrace_tenant;

-- What was seen of a lease: when each signal was last active, not every look.
create table idle_watch (
  tenant_id uuid not null,
  request_id uuid not null,
  stage text not null check (stage in ('watching', 'warned', 'snapshot', 'released')),
  stage_since timestamptz(3) not null,
  -- Of `warned`: not released before then.
  release_at timestamptz(3),
  -- Asked for before the release; of a release that was taken back, until it is removed.
  snapshot_id uuid,
  -- By signal: {at, activeAt, value, seenBy}; and the counters of the last look.
  signals jsonb not null,
  counters jsonb,
  -- The tenant wants it kept: since when; and for good.
  kept_at timestamptz(3),
  exempt boolean not null default false,
  -- When somebody last had its console open.
  console_at timestamptz(3),
  -- Counts changes, so that a decision made on an old look is not applied.
  version int not null default 0,
  primary key (tenant_id, request_id),
  foreign key (tenant_id, request_id) references request (tenant_id, id),
  check ((stage = 'warned') = (release_at is not null))
);
select protect_tenant_table('idle_watch');
create index idle_watch_underway on idle_watch (stage) where stage in ('warned', 'snapshot');

-- What became of leases because nobody used them, and each time that it was taken back; append-only.
create table idle_event (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  at timestamptz(3) not null,
  kind text not null check (kind in ('warned', 'kept', 'exempted', 'active', 'released',
    'snapshot_failed', 'restored')),
  details jsonb not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('idle_event');
create index idle_event_by_time on idle_event (at);
create trigger idle_event_append_only before update or delete on idle_event
  for each row execute function refuse_change();

-- Preempt and move: attempts of jobs that are told to save their work and to end, and the operator's
-- word about who may preempt whom, for how long a job may run, and when a guest counts as dead.

create table preemption (
  tenant_id uuid not null,
  id uuid not null,
  request_id uuid not null,
  instance_id uuid not null,
  attempt int not null,
  -- migration: off a device or a host that is sick.
  cause text not null check (cause in ('preemption', 'migration')),
  -- For whose sake; another tenant's, so its owner is never told. Null for a migration.
  for_tenant_id uuid,
  for_request_id uuid,
  for_turn int,
  -- What its owner is told.
  reason jsonb not null,
  -- Unit-milliseconds of work that were not saved when it was chosen, for the record.
  lost_unit_ms int8 not null,
  asked_at timestamptz(3) not null,
  notice_until timestamptz(3) not null,
  told_at timestamptz(3),
  taken_back_at timestamptz(3),
  ended_at timestamptz(3),
  -- called_off: its need was gone in time. moot: the attempt ended by itself before.
  state text not null default 'asked' check (state in ('asked', 'called_off', 'done', 'moot')),
  primary key (tenant_id, id),
  foreign key (tenant_id, instance_id) references instance (tenant_id, id),
  check ((cause = 'preemption') = (for_request_id is not null)),
  check (notice_until >= asked_at)
);
select protect_tenant_table('preemption');
-- One at a time.
create unique index preemption_open on preemption (instance_id) where state = 'asked';
create index preemption_of_instance on preemption (tenant_id, instance_id, asked_at);
create index preemption_of_request on preemption (tenant_id, request_id, asked_at);
create index preemption_for on preemption (for_request_id) where state = 'asked';

-- One row, from the first time that the operator says something; what it lacks is as usual.
create table job_policy (
  only_one boolean primary key default true check (only_one),
  policy jsonb not null,
  changed_at timestamptz(3) not null
);

-- A job may be held back for a while: after a fault, or so that whom it made room for comes first.
alter table request add column held_until timestamptz(3);
create index request_held on request (held_until) where held_until is not null;
alter table queue_entry drop constraint queue_entry_state_check;
alter table queue_entry add constraint queue_entry_state_check
  check (state in ('waiting', 'placed', 'withdrawn', 'held'));
create index queue_entry_held on queue_entry (tenant_id, request_id) where state = 'held';

create function hold_queue_entry() returns trigger
  language plpgsql
  as $$
begin
  if new.state = 'waiting' and exists (select from request r where r.tenant_id = new.tenant_id
      and r.id = new.request_id and r.held_until is not null) then
    new.state := 'held';
  end if;
  return new;
end
$$;
-- Nobody is held back on his first turn.
create trigger queue_entry_hold before insert on queue_entry
  for each row when (new.turn > 1) execute function hold_queue_entry();

-- As its workload says, whoever writes the row.
alter table request drop column preemptible;
alter table request add column preemptible boolean not null
  generated always as (coalesce(workload->'preemptible' = 'true'::jsonb, false)) stored;

-- What running leases use and what size they should be (S-03, `sizing`); groups of leases that grow and
-- shrink (S-02, `groups`).

-- One row for each lease that ran: the last look at it, and what all looks together say.
create table lease_use (
  tenant_id uuid not null,
  request_id uuid not null,
  instance_id uuid not null,
  -- By our clock.
  looked_at timestamptz(3) not null,
  -- As the last look left them: {at, cpuSeconds}; of the platform's clock.
  counters jsonb not null,
  -- CPU, memory and GPU in percent, sessions in people; null where nobody could see.
  figures jsonb not null,
  -- Histograms that decay: sizing/history.ts.
  history jsonb not null,
  primary key (tenant_id, request_id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('lease_use');

-- Leases whose size the platform may change by itself, within what the customer set.
create table lease_sizing (
  tenant_id uuid not null,
  request_id uuid not null,
  rules jsonb not null,
  changed_at timestamptz(3) not null,
  -- The flavor that it gets next, its price, and when that was said.
  announced jsonb,
  resized_at timestamptz(3),
  -- Why what would be right is not done.
  refusal jsonb,
  primary key (tenant_id, request_id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('lease_sizing');

create table lease_group (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  name text not null,
  created_by uuid not null,
  -- What each member is made of.
  template jsonb not null,
  size_min int not null,
  size_max int not null,
  wanted int not null,
  rules jsonb not null,
  -- What the rules advised lately, and when the group grew and shrank last.
  standing jsonb not null,
  -- Why there are fewer members than wanted.
  refusal jsonb,
  created_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, project_id) references project (tenant_id, id),
  constraint lease_group_size check (0 <= size_min and size_min <= size_max and 1 <= size_max
    and wanted between size_min and size_max)
);
select protect_tenant_table('lease_group');
create unique index lease_group_name on lease_group (tenant_id, project_id, name)
  where deleted_at is null;
create index lease_group_newest on lease_group (tenant_id, created_at desc, id desc);
create index lease_group_open on lease_group (id) where deleted_at is null;

create table lease_group_member (
  tenant_id uuid not null,
  group_id uuid not null,
  request_id uuid not null,
  ordinal int not null check (ordinal >= 0),
  joined_at timestamptz(3) not null,
  -- The group let it go; it keeps its number until its lease has ended.
  released_at timestamptz(3),
  left_at timestamptz(3),
  -- It went by itself, or by other hands than the group's.
  lost boolean not null default false,
  primary key (tenant_id, group_id, request_id),
  foreign key (tenant_id, group_id) references lease_group (tenant_id, id),
  foreign key (tenant_id, request_id) references request (tenant_id, id)
);
select protect_tenant_table('lease_group_member');
create unique index lease_group_ordinal on lease_group_member (tenant_id, group_id, ordinal)
  where left_at is null;
create index lease_group_member_request on lease_group_member (tenant_id, request_id)
  where left_at is null;

-- What the group decided, and why.
create table lease_group_event (
  tenant_id uuid not null,
  id uuid not null,
  group_id uuid not null,
  at timestamptz(3) not null,
  kind text not null check (kind in ('created', 'changed', 'scaled_out', 'scaled_in', 'refused',
    'member_added', 'member_removed', 'member_lost', 'deleted')),
  message text not null,
  details jsonb not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, group_id) references lease_group (tenant_id, id)
);
select protect_tenant_table('lease_group_event');
create index lease_group_event_newest on lease_group_event (tenant_id, group_id, at desc, id desc);
create trigger lease_group_event_append_only before update or delete on lease_group_event
  for each row execute function refuse_change();

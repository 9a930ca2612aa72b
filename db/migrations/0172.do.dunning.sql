-- The ladder when money runs low: on which rung a tenant stands, and what happens when.
create table dunning_state (
  tenant_id uuid primary key references tenant,
  stage text not null check (stage in
    ('ok', 'forecast', 'warning', 'no_new_work', 'grace', 'stopped', 'released')),
  since timestamptz(3) not null,
  -- Of grace: until when work goes on, if what is owed stays within bounds.
  grace_until timestamptz(3),
  -- Of stopped: when leases are released with their disks.
  release_at timestamptz(3),
  check ((stage = 'grace') = (grace_until is not null)),
  check ((stage = 'stopped') = (release_at is not null))
);
create index dunning_state_low on dunning_state (stage) where stage <> 'ok';
select protect_tenant_table('dunning_state');

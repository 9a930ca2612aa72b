-- A host that the operator takes out of service: its jobs go on elsewhere, owners of leases are told.
-- One that takes nothing new and keeps what it has is only not schedulable.
alter table host
  add column maintenance_since timestamptz(3),
  add constraint host_maintenance check (maintenance_since is null or not schedulable);

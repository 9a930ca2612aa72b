-- The operator calls a tenant core: his leases are core flavors alone, his projects strict on any cluster.
alter table tenant add column service_class text not null default 'standard'
  constraint tenant_service_class check (service_class in ('standard', 'core'));

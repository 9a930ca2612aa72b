-- Ports of machines that customers open to others, until they close them or what they are of ends.
create table opening (
  tenant_id uuid not null,
  id uuid not null,
  project_id uuid not null,
  -- Of that lease's machine alone; of all machines of the project if null.
  lease_id uuid,
  protocol text not null check (protocol in ('tcp', 'udp')),
  -- SSH is opened by the operator, in the site's settings.
  port int not null check (port between 1 and 65535 and port <> 22),
  -- A rule from nowhere would be one from everywhere.
  sources cidr[] not null check (cardinality(sources) between 1 and 32),
  note text,
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, project_id) references project (tenant_id, id),
  foreign key (tenant_id, lease_id) references request (tenant_id, id)
);
create index opening_by_age on opening (tenant_id, project_id, created_at, id);
create index opening_of_lease on opening (tenant_id, lease_id) where lease_id is not null;
select protect_tenant_table('opening');

-- A lease and a project may end by many hands; what was open of them ends in the same transaction.
create function close_openings_of_lease() returns trigger
  language plpgsql
  as $$
begin
  delete from opening where tenant_id = new.tenant_id and lease_id = new.id;
  return null;
end
$$;
create trigger openings_end_with_lease after update of ended_at on request
  for each row when (new.ended_at is not null and old.ended_at is null)
  execute function close_openings_of_lease();

create function close_openings_of_project() returns trigger
  language plpgsql
  as $$
begin
  delete from opening where tenant_id = new.tenant_id and project_id = new.id;
  return null;
end
$$;
create trigger openings_end_with_project after update of deleted_at on project
  for each row when (new.deleted_at is not null and old.deleted_at is null)
  execute function close_openings_of_project();

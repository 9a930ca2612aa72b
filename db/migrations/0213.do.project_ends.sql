-- What a platform still holds of a project that was removed: its namespace on a cluster, and what storage
-- keeps. A row for each site that was there when the project ended; it stays when all is gone, so that
-- nobody asks twice.
create table project_end (
  tenant_id uuid not null,
  project_id uuid not null,
  site text not null references site,
  tries int not null default 0,
  -- Whoever works on it sets this ahead first, so that two processes do not.
  next_at timestamptz(3) not null,
  -- What the platform waits for, or why it could not be asked; null as long as nobody has asked.
  said text,
  -- [{what, why}] that the platform keeps on purpose.
  leftovers jsonb not null default '[]',
  begun_at timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (tenant_id, project_id, site),
  foreign key (tenant_id, project_id) references project (tenant_id, id)
);
select protect_tenant_table('project_end');
create index project_end_due on project_end (site, next_at) where ended_at is null;
create index project_deleted on project (deleted_at) where deleted_at is not null;

-- What tenants keep: inputs of jobs, and the logs and results of their attempts. The bytes are in
-- the data directory, under the tenant's id and the file's (src/storage).
create table stored_file (
  tenant_id uuid not null references tenant,
  id uuid not null,
  kind text not null check (kind in ('input', 'log', 'results')),
  name text not null,
  -- The attempt that made it; both null for an input.
  job_id uuid,
  attempt int,
  -- Bytes that count: of a log that is being written there may be more on the disk, never less.
  size_bytes int8 not null check (size_bytes >= 0),
  -- Of the whole; null while it is being written.
  sha256 text,
  -- 'failed': could not be brought home; 'missing': the bytes are not on the disk any more;
  -- 'deleting': nobody sees it any more, the bytes go first and then the row.
  state text not null check (state in ('writing', 'ready', 'failed', 'missing', 'deleting')),
  -- Why it is not whole: {code, message, details}.
  reason jsonb,
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, job_id) references request (tenant_id, id),
  check ((kind = 'input') = (job_id is null)),
  check ((job_id is null) = (attempt is null))
);
select protect_tenant_table('stored_file');
-- An attempt has one log and one set of results, whoever brings them home, and how often.
create unique index stored_file_attempt on stored_file (tenant_id, job_id, attempt, kind)
  where job_id is not null;
create index stored_file_newest on stored_file (tenant_id, created_at desc, id desc);
create index stored_file_writing on stored_file (created_at) where state = 'writing';
create index stored_file_deleting on stored_file (created_at) where state = 'deleting';

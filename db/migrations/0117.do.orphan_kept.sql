-- A machine that no row wants is removed only if a row of this database tells that it is to be gone.
-- One that no row ever named may be a customer's: the database may have been restored from a backup
-- that is older than the machine. It is kept until the operator has said what becomes of it.
alter table orphan
  add column known boolean not null default true,
  add column seen_at timestamptz(3),
  -- When the operator was told that it is kept.
  add column said_at timestamptz(3),
  -- The operator's word about one that is not known; without it, it stays.
  add column decision text check (decision = 'remove'),
  add column decided_by text,
  add column decided_at timestamptz(3);
create index orphan_there on orphan (first_seen_at, machine_id) where removed_at is null;
revoke all on orphan from millrace_tenant;

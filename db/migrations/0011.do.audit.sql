-- Who did what. Written in the transaction of the mutation itself; never changed, never removed.
create table audit_entry (
  -- The tenant acted for, which may read the entry.
  tenant_id uuid not null references tenant (id),
  id uuid not null,
  at timestamptz(3) not null,
  -- Names at that time, for people; the ids beside them, for programs. Null for the system itself.
  actor text not null,
  actor_tenant_id uuid,
  actor_user_id uuid,
  actor_key_id uuid,
  action text not null,
  target text,
  outcome text not null check (outcome in ('done', 'refused')),
  request_id text not null,
  details jsonb not null,
  primary key (tenant_id, id)
);
create index audit_entry_by_age on audit_entry (tenant_id, at, id);
select protect_tenant_table('audit_entry');
revoke update, delete on audit_entry from millrace_tenant;
create trigger append_only before update or delete on audit_entry
  for each row execute function refuse_change();
create trigger append_only_truncate before truncate on audit_entry
  for each statement execute function refuse_change();

-- The role under which work for one tenant runs, and the wall that keeps it to that tenant's rows.
do $$
begin
  if not exists (select from pg_roles where rolname = 'millrace_tenant') then
    create role millrace_tenant nologin noinherit;
  end if;
exception when duplicate_object or unique_violation then
  -- Another database of the same server made it in this moment.
  null;
end
$$;
grant millrace_tenant to current_user;
grant usage on schema public to millrace_tenant;
alter default privileges in schema public
  grant select, insert, update, delete on tables to millrace_tenant;
alter default privileges in schema public grant usage, select on sequences to millrace_tenant;

create function current_tenant_id() returns uuid
  language sql stable
  as $$ select nullif(current_setting('millrace.tenant_id', true), '')::uuid $$;

create function protect_tenant_table(protected regclass) returns void
  language plpgsql
  as $$
begin
  execute format('alter table %s enable row level security', protected);
  execute format(
    'create policy tenant_rows on %s to millrace_tenant
       using (tenant_id = current_tenant_id()) with check (tenant_id = current_tenant_id())',
    protected);
end
$$;

-- For rows that nobody may ever change or remove: a trigger function.
create function refuse_change() returns trigger
  language plpgsql
  as $$
begin
  raise exception '% on % is refused: its rows are append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end
$$;

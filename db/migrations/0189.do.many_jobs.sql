-- What many jobs at once must not pay for each by itself.

-- The open work of a tenant, which each admission sums up; and what of it is being resized.
create index request_open_of_tenant on request (tenant_id) where ended_at is null;
create index operation_resizing on operation (tenant_id, request_id)
  where state = 'running' and kind = 'resize';

-- Whether something could ever fit depends on hosts, devices and pools, not on what is held of them.
-- Those change seldom, and reading them takes longer than all else at an admission. So a process keeps
-- them (src/flow/place/kept-hosts.ts) under this id, which every change replaces in its transaction.
create table host_version (
  one boolean primary key default true check (one),
  id uuid not null,
  -- The last transaction that replaced it, which need not do so twice.
  changed_in xid8
);
insert into host_version (id) values (gen_random_uuid());
revoke insert, update, delete on host_version from millrace_tenant;

create function replace_host_version() returns trigger
  language plpgsql security definer set search_path = public
  as $$
begin
  update host_version set id = gen_random_uuid(), changed_in = pg_current_xact_id()
    where changed_in is distinct from pg_current_xact_id();
  return null;
end
$$;

-- When the transaction ends, so that this row is locked last, whatever else was.
create constraint trigger host_is_another after insert or delete on host
  deferrable initially deferred for each row execute function replace_host_version();
-- That a host was seen again changes nothing.
create constraint trigger host_changes after update on host
  deferrable initially deferred for each row
  when (to_jsonb(old) - 'seen_at' is distinct from to_jsonb(new) - 'seen_at')
  execute function replace_host_version();
create constraint trigger device_changes after insert or update or delete on gpu_device
  deferrable initially deferred for each row execute function replace_host_version();
create constraint trigger pool_changes after insert or update or delete on pool
  deferrable initially deferred for each row execute function replace_host_version();
create constraint trigger pool_tenant_changes after insert or update or delete on pool_tenant
  deferrable initially deferred for each row execute function replace_host_version();

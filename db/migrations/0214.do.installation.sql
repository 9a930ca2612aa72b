-- Who this installation is, wherever its database is moved to: it signs what it holds at platforms that
-- others use too, so that a second one of the same name is told from it.
create table installation (
  only_one boolean primary key default true check (only_one),
  id uuid not null default gen_random_uuid()
);
insert into installation default values;
revoke insert, update, delete on installation from millrace_tenant;

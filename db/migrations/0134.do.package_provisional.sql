-- What a package will pay for days that are not posted belongs to that package: one that has expired
-- and is not forfeited yet takes nothing from another.
alter table account drop column provisional_packages;
alter table package_credit add provisional int8 not null default 0;
update package_credit p set provisional = used.amount
  from (
    select c.tenant_id, share ->> 'id' as id,
      sum((share ->> 'principal')::int8 + (share ->> 'bonus')::int8)::int8 as amount
    from charge_line c, jsonb_array_elements(c.packages) share
    where c.state = 'provisional'
    group by 1, 2
  ) used
  where used.tenant_id = p.tenant_id and used.id = p.id::text and p.ended_as is null;

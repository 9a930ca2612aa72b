-- What packages will pay for days that are not posted, beside what the wallet will (R-DAY-3).
alter table account
  add provisional_packages int8 not null default 0
    check (kind = 'wallet' or provisional_packages = 0);

-- The part of a hold that packages cover. No posting: their credit stays where it is, and only what
-- may be asked for once more becomes less.
create table package_hold (
  tenant_id uuid not null references tenant,
  -- As that of the hold, e.g. a request's id.
  reference text not null check (length(reference) between 1 and 190),
  amount int8 not null check (amount > 0),
  released_at timestamptz(3),
  primary key (tenant_id, reference)
);
create index package_hold_open on package_hold (tenant_id) where released_at is null;
select protect_tenant_table('package_hold');

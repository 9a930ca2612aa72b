-- How far a tenant's days are final, and the zone whose midnights they end at.
create table rating_account (
  tenant_id uuid primary key references tenant,
  -- Frozen at the first rating (R-DAY-2).
  time_zone text not null,
  -- Every local day up to it is posted, those without usage too.
  posted_through date not null,
  -- When the day after it may be posted.
  post_next_at timestamptz(3) not null,
  rated_at timestamptz(3) not null
);
select protect_tenant_table('rating_account');
create index rating_account_due on rating_account (post_next_at);

-- What a tenant owes for one SKU on one local day. Provisional lines are replaced with each pass;
-- posted ones never change: late usage adds a line of the same day with the next revision.
create table charge_line (
  tenant_id uuid not null references tenant,
  service_date date not null,
  sku text not null check (length(sku) between 1 and 100),
  -- 0 is the day's own line; above it, adjustments for usage that arrived late (R-LATE-1).
  revision int not null default 0 check (revision >= 0),
  -- Exact: quantity / quantity_divisor in unit-seconds or byte-seconds. Negative in an adjustment
  -- that takes usage back.
  quantity numeric(60, 0) not null,
  quantity_divisor numeric(60, 0) not null check (quantity_divisor >= 1),
  -- So that the line can be read without the profile: what the price is for, and how many base
  -- units that is.
  unit text not null,
  base_per_unit numeric(30, 0) not null check (base_per_unit >= 1),
  list_price text not null,
  multiplier text not null,
  amount int8 not null,
  profile_id uuid not null references price_profile,
  -- The month whose invoice has it: that of its day, unless that invoice was final already.
  billed_month text not null check (billed_month ~ '^[0-9]{4}-[0-9]{2}$'),
  state text not null check (state in ('provisional', 'posted')),
  posted_at timestamptz(3),
  primary key (tenant_id, service_date, sku, revision),
  check ((state = 'posted') = (posted_at is not null)),
  check (revision = 0 or state = 'posted')
);
create index charge_line_billed on charge_line (tenant_id, billed_month);
select protect_tenant_table('charge_line');

create trigger charge_line_is_final before update or delete on charge_line
  for each row when (old.state = 'posted') execute function refuse_change();
create trigger charge_line_is_kept before truncate on charge_line
  for each statement execute function refuse_change();

-- Tenants whose usage ended since they were rated last.
create index usage_interval_ended on usage_interval (tenant_id, ended_at);

-- Which part of a line is of managed jobs, how the line was paid, and prices agreed with one tenant.
alter table charge_line
  -- Of jobs, in base units; the rest is of leases. Packages pay jobs only (R-PKG-5).
  add job_quantity numeric(60, 0) not null default 0,
  add job_quantity_divisor numeric(60, 0) not null default 1 check (job_quantity_divisor >= 1),
  -- The share of the amount that is of jobs.
  add job_amount int8 not null default 0,
  -- What paid it when it was posted; before that, what packages would pay and the rest as wallet.
  add paid_principal int8 not null default 0,
  add paid_bonus int8 not null default 0,
  add paid_wallet int8 not null default 0,
  add paid_receivable int8 not null default 0,
  -- Given back of bonuses whose package has ended: to nobody.
  add paid_promotion int8 not null default 0,
  -- By package, in the order in which they paid: [{"id", "principal", "bonus", "ended"}] in fen.
  -- `ended`: given back after the package had ended, so not to its accounts.
  add packages jsonb not null default '[]' check (jsonb_typeof(packages) = 'array'),
  add price_source text not null default 'list' check (price_source in ('list', 'contract'));

alter table charge_line disable trigger charge_line_is_final;
update charge_line set paid_wallet = amount;
alter table charge_line enable trigger charge_line_is_final;
alter table charge_line add constraint charge_line_paid check (
  paid_principal + paid_bonus + paid_wallet + paid_receivable + paid_promotion = amount);

alter table rating_account
  -- The first local day that is rated.
  add rated_from date,
  -- Usage without a price: no day from `stopped_on` on is posted until there is one.
  add stopped_on date,
  add stopped_sku text,
  add constraint rating_account_stopped check ((stopped_on is null) = (stopped_sku is null));
update rating_account r set rated_from = coalesce(
  (select min(service_date) from charge_line c where c.tenant_id = r.tenant_id),
  posted_through + 1);
alter table rating_account alter rated_from set not null;

-- What one tenant pays for a SKU instead of the list price, from a local midnight on (R-ORD-1).
create table contract_price (
  tenant_id uuid not null references tenant,
  sku text not null check (length(sku) between 1 and 100),
  from_day date not null,
  -- Yuan per unit of the price list; null goes back to the list price.
  price text check (price ~ '^[0-9]{1,12}([.][0-9]{1,9})?$'),
  reason text not null check (length(reason) between 1 and 500),
  created_at timestamptz(3) not null,
  primary key (tenant_id, sku, from_day)
);
select protect_tenant_table('contract_price');
create trigger contract_price_is_final before update or delete on contract_price
  for each row execute function refuse_change();
create trigger contract_price_is_kept before truncate on contract_price
  for each statement execute function refuse_change();

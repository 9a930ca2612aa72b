-- Machines that are paid ahead by the term, what is added to them for days, and larger sizes in the
-- middle of a term.

create table subscription (
  tenant_id uuid not null references tenant,
  id uuid not null,
  -- The lease that it pays for.
  request_id uuid not null,
  name text not null check (length(name) between 1 and 63),
  -- `ordered`: money is held, the machine is being made. `active`: paid. `lapsed`: its time is over,
  -- the machine is stopped and kept. `ended`: released, whyever.
  state text not null check (state in ('ordered', 'active', 'lapsed', 'ended')),
  auto_renew boolean not null,
  -- The order: what is charged once the machine is there.
  term text not null check (term in ('monthly', 'quarterly', 'annual')),
  sku text not null check (length(sku) between 1 and 100),
  list_price int8 not null check (list_price >= 0),
  discounts jsonb not null check (jsonb_typeof(discounts) = 'array'),
  amount int8 not null check (amount >= 0),
  price_profile_id uuid not null,
  -- The monthly list price of the first purchase: the base of annual renewals if it is lower.
  locked_monthly int8 not null check (locked_monthly >= 0),
  ordered_at timestamptz(3) not null,
  ordered_by uuid not null,
  -- When the machine could first be used; all periods are counted from here.
  anchor_at timestamptz(3),
  zone text not null,
  -- Of a lapsed one: when it was stopped, and until when it is kept.
  lapsed_at timestamptz(3),
  kept_until timestamptz(3),
  ended_at timestamptz(3),
  -- {code, message, details}
  end_reason jsonb,
  -- When something is due; null once it has ended.
  look_at timestamptz(3),
  primary key (tenant_id, id),
  constraint subscription_of_lease unique (tenant_id, request_id),
  foreign key (tenant_id, request_id) references request (tenant_id, id),
  check ((state in ('active', 'lapsed')) <= (anchor_at is not null)),
  check ((state = 'ended') = (ended_at is not null)),
  check ((state = 'lapsed') <= (kept_until is not null))
);
create index subscription_newest on subscription (tenant_id, ordered_at desc, id desc);
create index subscription_due on subscription (look_at) where look_at is not null;
select protect_tenant_table('subscription');

-- Paid terms. Each begins where the one before it ends.
create table subscription_period (
  tenant_id uuid not null,
  subscription_id uuid not null,
  number int not null check (number >= 1),
  term text not null check (term in ('monthly', 'quarterly', 'annual')),
  -- In months after the anchor (R-VM-2).
  from_month int not null check (from_month >= 0),
  until_month int not null check (until_month > from_month),
  from_at timestamptz(3) not null,
  until_at timestamptz(3) not null check (until_at > from_at),
  -- What the machine is in it, without expansions; larger after an upgrade. kernel/shape.ts
  sku text not null,
  shape jsonb not null,
  -- By which an early end prices the months that have begun.
  monthly_list int8 not null check (monthly_list >= 0),
  primary key (tenant_id, subscription_id, number),
  foreign key (tenant_id, subscription_id) references subscription (tenant_id, id)
);
select protect_tenant_table('subscription_period');

-- Another size in the middle of a term; charged when the machine has it.
create table subscription_upgrade (
  tenant_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  state text not null check (state in ('resizing', 'done', 'failed')),
  sku text not null,
  shape jsonb not null,
  monthly_list int8 not null,
  -- The draft of its order item.
  draft jsonb not null,
  amount int8 not null check (amount >= 0),
  operation_id uuid not null,
  reason jsonb,
  ordered_at timestamptz(3) not null,
  ordered_by uuid not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, subscription_id) references subscription (tenant_id, id)
);
create unique index subscription_upgrade_one on subscription_upgrade (tenant_id, subscription_id)
  where state = 'resizing';
select protect_tenant_table('subscription_upgrade');

-- Units on top of a subscription for days of 24 hours.
create table expansion (
  tenant_id uuid not null,
  id uuid not null,
  subscription_id uuid not null,
  -- `resizing`: money is held, the machine is being changed. `scheduled`: extends another and begins
  -- at its end. `ended`: over, released, failed or canceled; `reason` says which.
  state text not null check (state in ('resizing', 'scheduled', 'active', 'ended')),
  -- [{"sku", "units"}]
  items jsonb not null check (jsonb_typeof(items) = 'array'),
  days int not null check (days >= 1),
  draft jsonb not null,
  amount int8 not null check (amount >= 0),
  price_profile_id uuid not null,
  operation_id uuid,
  extends_id uuid,
  ordered_at timestamptz(3) not null,
  ordered_by uuid not null,
  starts_at timestamptz(3),
  activated_at timestamptz(3),
  -- Activation and so many times 24 hours; earlier where it was released.
  ends_at timestamptz(3),
  -- When the machine was seen without it.
  reverted_at timestamptz(3),
  reason jsonb,
  primary key (tenant_id, id),
  foreign key (tenant_id, subscription_id) references subscription (tenant_id, id),
  foreign key (tenant_id, extends_id) references expansion (tenant_id, id),
  check ((state = 'scheduled') <= (extends_id is not null and starts_at is not null)),
  check ((state = 'active') <= (activated_at is not null and ends_at is not null)),
  check ((state = 'resizing') <= (operation_id is not null))
);
create index expansion_newest on expansion (tenant_id, ordered_at desc, id desc);
create index expansion_of_subscription on expansion (tenant_id, subscription_id);
-- One follows another.
create unique index expansion_extends on expansion (tenant_id, extends_id)
  where state in ('scheduled', 'active');
select protect_tenant_table('expansion');

-- The flavors that came with the program and are what the price list names.
update flavor set fields = fields || '{"subscriptionSku": "vm.a100x1"}'
  where name = 'a100.1' and not fields ? 'subscriptionSku';
update flavor set fields = fields || '{"subscriptionSku": "vm.a100x2"}'
  where name = 'a100.2' and not fields ? 'subscriptionSku';

-- Services that people do: optimization of a model, by the engagement; 24x7 support, by the month;
-- bundles of both at a price of their own.

create table service (
  tenant_id uuid not null references tenant,
  id uuid not null,
  kind text not null check (kind in ('model_optimization', 'support_24x7', 'bundle')),
  -- Of a bundle, as in the price profile.
  code text check (length(code) between 1 and 40),
  description text not null check (length(description) between 1 and 1000),
  -- `asked`: the operator has to say what it costs. `offered`: the customer has to accept. `active`:
  -- paid. `ended`: over, done, declined or given back; `end_reason` says which.
  state text not null check (state in ('asked', 'offered', 'active', 'ended')),
  -- What was offered or paid, in fen; of support, for its last month.
  amount int8 check (amount >= 0),
  price_profile_id uuid,
  -- Until when an offer can be accepted.
  offer_until timestamptz(3),
  -- Engagements that are paid and not done.
  optimizations_left int not null default 0 check (optimizations_left >= 0),
  zone text not null,
  -- Support: its months are counted from here, and so many are paid, until then.
  anchor_at timestamptz(3),
  paid_months int not null default 0 check (paid_months >= 0),
  paid_until timestamptz(3),
  auto_renew boolean not null default false,
  asked_at timestamptz(3) not null,
  asked_by uuid not null,
  ended_at timestamptz(3),
  -- {code, message, details}
  end_reason jsonb,
  -- When something is due; null while nothing is.
  look_at timestamptz(3),
  primary key (tenant_id, id),
  check ((kind = 'bundle') = (code is not null)),
  check ((state in ('offered', 'active')) <= (amount is not null and price_profile_id is not null)),
  check ((state = 'offered') <= (offer_until is not null)),
  check ((state = 'ended') = (ended_at is not null)),
  check ((paid_until is not null) = (anchor_at is not null))
);
create index service_newest on service (tenant_id, asked_at desc, id desc);
create index service_due on service (look_at) where look_at is not null;
-- Nobody pays twice for the same support.
create unique index service_support_once on service (tenant_id)
  where kind = 'support_24x7' and state = 'active';
select protect_tenant_table('service');

-- Whether the end of the term stopped the machine, so that a renewal starts it again; one that its
-- customer had stopped before stays so.
alter table subscription add column start_owed boolean not null default false;
update subscription set start_owed = true where state = 'lapsed';

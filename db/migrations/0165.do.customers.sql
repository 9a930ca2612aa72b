-- Who a customer is to us: his tier with everything that made it, his applications, and what he
-- agreed to.

-- How far the payments of a tenant have been looked at, and what they made of him.
create table tier_account (
  tenant_id uuid primary key references tenant,
  tier text not null check (tier in ('normal', 'gold', 'diamond')),
  -- Not lowered before; null for normal.
  hold_until date,
  -- Payments from here on count for the cumulative rule.
  cumulative_from date not null,
  -- The midnights that began the days up to this one are decided.
  evaluated_through date not null,
  check ((tier = 'normal') = (hold_until is null))
);
select protect_tenant_table('tier_account');

-- What changed it: which rule, and what the rule looked at.
create table tier_change (
  tenant_id uuid not null references tenant,
  id uuid not null,
  effective date not null,
  -- The first instant of that day in the tenant's zone.
  effective_at timestamptz(3) not null,
  tier text not null check (tier in ('normal', 'gold', 'diamond')),
  tier_before text not null check (tier_before in ('normal', 'gold', 'diamond')),
  reason text not null check (reason in ('12m', '3m', 'cumulative', 'review')),
  hold_until date,
  inputs jsonb not null,
  primary key (tenant_id, id),
  -- A midnight decides once.
  constraint tier_change_once unique (tenant_id, effective)
);
create index tier_change_by_time on tier_change (tenant_id, effective_at, id);
select protect_tenant_table('tier_change');
create trigger tier_change_is_final before update or delete on tier_change
  for each row execute function refuse_change();
create trigger tier_change_is_kept before truncate on tier_change
  for each statement execute function refuse_change();

-- A tier by hand: with a reason, somebody who approved it, and an end. While it lasts it stands above
-- what the payments make.
create table tier_override (
  tenant_id uuid not null references tenant,
  id uuid not null,
  tier text not null check (tier in ('normal', 'gold', 'diamond')),
  reason text not null check (length(reason) between 1 and 500),
  approved_by text not null check (length(approved_by) between 1 and 100),
  from_at timestamptz(3) not null,
  until_at timestamptz(3) not null check (until_at > from_at),
  -- Ended before its time; never later than it.
  ended_at timestamptz(3),
  created_by text not null,
  primary key (tenant_id, id),
  check (ended_at is null or ended_at between from_at and until_at)
);
create index tier_override_by_time on tier_override (tenant_id, from_at, id);
select protect_tenant_table('tier_override');

-- A request for compute, and what sales thought of it. Without effect on prices (R-CT-6).
create table compute_application (
  tenant_id uuid not null references tenant,
  id uuid not null,
  company text not null check (length(company) between 1 and 200),
  scale text not null check (scale in ('individual', '1-10', '11-50', '51-500', '500+')),
  monthly_budget int8 not null check (monthly_budget >= 0),
  demand text not null check (length(demand) between 1 and 4000),
  contact text not null check (length(contact) between 1 and 200),
  state text not null default 'submitted' check (state in ('submitted', 'rated', 'withdrawn')),
  -- What the stated budget alone would make of him.
  suggested_tier text not null check (suggested_tier in ('normal', 'gold', 'diamond')),
  initial_rating text check (initial_rating in ('normal', 'gold', 'diamond')),
  note text check (length(note) <= 4000),
  rated_by text,
  rated_at timestamptz(3),
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  check ((state = 'rated') = (rated_at is not null and initial_rating is not null))
);
create index compute_application_newest on compute_application (created_at, id);
select protect_tenant_table('compute_application');

-- Versions of what customers agree to. Published once, never edited: a new text is a new version.
create table agreement (
  id uuid primary key,
  document text not null check (document in ('service_agreement', 'nda')),
  version text not null check (version ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
  text_en text not null check (length(text_en) between 1 and 200000),
  text_zh text not null check (length(text_zh) between 1 and 200000),
  -- Of both texts, so that what was accepted can be shown to be this.
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  -- New leases, jobs and orders need it.
  required boolean not null,
  published_at timestamptz(3) not null,
  constraint agreement_version unique (document, version)
);
create index agreement_newest on agreement (document, published_at desc);
revoke insert, update, delete on agreement from millrace_tenant;
create trigger agreement_is_final before update or delete on agreement
  for each row execute function refuse_change();

create table agreement_acceptance (
  tenant_id uuid not null references tenant,
  agreement_id uuid not null references agreement,
  user_id uuid not null,
  user_name text not null,
  sha256 text not null,
  accepted_at timestamptz(3) not null,
  primary key (tenant_id, agreement_id)
);
select protect_tenant_table('agreement_acceptance');
create trigger agreement_acceptance_is_final before update or delete on agreement_acceptance
  for each row execute function refuse_change();

-- What is bought ahead of use. Money moves in the ledger, in the same transactions.

-- One thing that was charged for, or given back: a line of an invoice. Never changed.
create table order_item (
  tenant_id uuid not null references tenant,
  id uuid not null,
  kind text not null check (kind in
    ('package', 'subscription', 'renewal', 'upgrade', 'expansion', 'service')),
  -- As on the price list: P1000, vm.a100x1, elastic, support_24x7.
  sku text not null check (length(sku) between 1 and 100),
  -- Of the package, subscription, expansion or service.
  subject_id uuid not null,
  -- Which of the subscription's periods; null for others.
  period int check (period >= 1),
  -- Fills the sentence of its kind, in both languages (src/orders/words.ts).
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  -- list_price + discounts = amount, in fen; negative where something is given back.
  list_price int8 not null,
  -- [{"rule", "amount"}]
  discounts jsonb not null default '[]' check (jsonb_typeof(discounts) = 'array'),
  amount int8 not null,
  -- Paid in advance and charged again as it is used (a package), so not revenue yet.
  is_prepayment boolean not null,
  -- What it is for, half-open; null where it is for no time.
  service_from timestamptz(3),
  service_until timestamptz(3),
  -- When it was booked, and that month of the tenant's zone: YYYY-MM.
  at timestamptz(3) not null,
  billed_month text not null check (billed_month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  -- The journal of the ledger; null where nothing moved.
  journal_key text,
  -- The item that this gives back, or part of it.
  refund_of uuid,
  -- The prices that it was charged by.
  price_profile_id uuid,
  primary key (tenant_id, id),
  foreign key (tenant_id, refund_of) references order_item (tenant_id, id),
  constraint order_item_once unique (tenant_id, journal_key),
  check (service_until is null or service_until >= service_from),
  check ((refund_of is not null) or amount >= 0)
);
create index order_item_newest on order_item (tenant_id, at desc, id desc);
create index order_item_of_month on order_item (tenant_id, billed_month);
create index order_item_of_subject on order_item (tenant_id, subject_id);
select protect_tenant_table('order_item');
create trigger order_item_is_final before update or delete on order_item
  for each row execute function refuse_change();
create trigger order_item_is_kept before truncate on order_item
  for each statement execute function refuse_change();

-- A package as a product; its credit and its days are the ledger's.
create table package (
  tenant_id uuid not null references tenant,
  id uuid not null,
  code text not null check (length(code) between 1 and 40),
  price int8 not null check (price > 0),
  bonus int8 not null check (bonus >= 0),
  bought_at timestamptz(3) not null,
  bought_by uuid not null,
  -- When a reminder or its end is due; null once it has ended.
  look_at timestamptz(3),
  primary key (tenant_id, id)
);
create index package_newest on package (tenant_id, bought_at desc, id desc);
create index package_due on package (look_at) where look_at is not null;
select protect_tenant_table('package');

-- Money on its way in and back: what a tenant wants to pay, what arrived at the bank, what was paid
-- back. Money counts once it is a journal; these rows say where a journal came from.
create table payment (
  tenant_id uuid not null references tenant,
  id uuid not null,
  method text not null check (method in ('bank_transfer', 'test')),
  -- What the payer writes on a transfer; tells payments of all tenants apart.
  code text not null constraint payment_code unique check (length(code) between 4 and 40),
  amount int8 not null check (amount > 0),
  -- created: the provider does not know of it yet. pending: the payer has to act.
  state text not null check (state in ('created', 'pending', 'settled', 'failed', 'canceled')),
  -- The provider's own name of it.
  provider_reference text,
  -- What the payer does next, as the provider says.
  next jsonb,
  received int8 not null default 0 check (received >= 0),
  failure text,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  settled_at timestamptz(3),
  -- When the provider is to be asked; null where it cannot say or all is said.
  look_at timestamptz(3),
  primary key (tenant_id, id),
  check ((state = 'settled') = (settled_at is not null)),
  check ((state = 'settled') = (received > 0)),
  check (state in ('created', 'pending') or look_at is null)
);
create index payment_newest on payment (tenant_id, created_at desc, id desc);
create index payment_to_look_at on payment (look_at) where look_at is not null;
create index payment_to_expire on payment (expires_at) where state in ('created', 'pending');
select protect_tenant_table('payment');

create table payment_refund (
  tenant_id uuid not null,
  id uuid not null,
  payment_id uuid not null,
  amount int8 not null check (amount > 0),
  reason text not null check (length(reason) between 1 and 500),
  -- pending: it left the wallet, and the provider has not said that it is paid.
  state text not null check (state in ('pending', 'done', 'refused')),
  failure text,
  created_at timestamptz(3) not null,
  ended_at timestamptz(3),
  look_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, payment_id) references payment (tenant_id, id),
  check ((state = 'pending') = (ended_at is null))
);
create index payment_refund_of on payment_refund (tenant_id, payment_id);
create index payment_refund_to_look_at on payment_refund (look_at) where look_at is not null;
select protect_tenant_table('payment_refund');

-- A transfer that arrived at the operator's bank, as he read it from the statement. What cannot be
-- given to a payment by itself waits in suspense for his decision.
create table bank_receipt (
  id uuid primary key,
  -- The bank's own reference: the same transfer is recorded once.
  bank_reference text not null constraint bank_receipt_reference unique
    check (length(bank_reference) between 1 and 100),
  -- As written on the transfer.
  code text not null check (length(code) <= 200),
  amount int8 not null check (amount > 0),
  received_on date not null,
  state text not null check (state in ('matched', 'suspense', 'assigned', 'returned')),
  -- Why it waits: partial, over, unknown_reference, not_open.
  reason text,
  -- Whose payment the code names, or whom the operator gave it to.
  paid_tenant_id uuid references tenant,
  payment_id uuid,
  note text check (length(note) <= 500),
  created_at timestamptz(3) not null,
  resolved_at timestamptz(3),
  check ((state = 'suspense') = (resolved_at is null))
);
create index bank_receipt_newest on bank_receipt (created_at desc, id desc);
create index bank_receipt_suspense on bank_receipt (created_at desc, id desc) where state = 'suspense';
revoke all on bank_receipt from millrace_tenant;

-- Signs that somebody should look after a customer: a task each, once per sign.
create table customer_task (
  tenant_id uuid not null references tenant,
  id uuid not null,
  key text not null check (length(key) between 1 and 200),
  kind text not null check (kind in ('no_spend_2m', 'usage_drop', 'invoice_overdue', 'term_ending')),
  -- What the sign was seen in.
  data jsonb not null,
  created_at timestamptz(3) not null,
  done_at timestamptz(3),
  done_by text,
  note text check (length(note) <= 2000),
  primary key (tenant_id, id),
  constraint customer_task_key unique (tenant_id, key),
  check ((done_at is null) = (done_by is null))
);
create index customer_task_open on customer_task (created_at desc, id desc) where done_at is null;
create index customer_task_of_kind on customer_task (tenant_id, kind, created_at);
select protect_tenant_table('customer_task');

-- Up to which local day a tenant was looked at.
create table insight_account (
  tenant_id uuid primary key references tenant,
  looked_through date not null
);
select protect_tenant_table('insight_account');

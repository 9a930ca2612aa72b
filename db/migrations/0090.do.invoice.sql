-- A closed month of a tenant: the statement as it was when its last day was posted, whole, so that
-- it can be shown and rebuilt byte for byte. Never edited; what comes later is on the next one.
create table invoice (
  tenant_id uuid not null references tenant,
  id uuid not null,
  kind text not null check (kind = 'monthly'),
  period text not null check (period ~ '^[0-9]{4}-[0-9]{2}$'),
  gross int8 not null,
  net int8 not null,
  vat int8 not null,
  document jsonb not null,
  finalized_at timestamptz(3) not null,
  primary key (tenant_id, id),
  -- Closing a month twice is a no-op (R-INV-1).
  constraint invoice_period unique (tenant_id, kind, period),
  check (gross = net + vat)
);
select protect_tenant_table('invoice');

create trigger invoice_is_final before update or delete on invoice
  for each row execute function refuse_change();
create trigger invoice_is_kept before truncate on invoice
  for each statement execute function refuse_change();

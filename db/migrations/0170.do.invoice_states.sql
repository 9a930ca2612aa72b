-- Money states of invoices. The document stays as it was closed; what becomes of it stands beside it.
alter table invoice disable trigger invoice_is_final;
alter table invoice drop constraint invoice_kind_check;
alter table invoice
  add constraint invoice_kind_check check (kind in ('monthly', 'credit_note')),
  -- What people write on a transfer; unique for the tenant.
  add number text,
  -- The invoice that a credit note takes back.
  add voids_id uuid,
  -- Why, in a credit note.
  add reason text check (length(reason) between 1 and 500),
  -- Of the document in canonical form (RFC 8785): what a rebuilt one is compared with.
  add document_sha256 text check (document_sha256 ~ '^[0-9a-f]{64}$'),
  -- What of it was not paid when its lines were posted.
  add owed int8 not null default 0,
  add due_on date;
update invoice set number = 'MR-' || period || '-' || left(replace(id::text, '-', ''), 8),
  due_on = (finalized_at at time zone 'Asia/Shanghai')::date + 15;
alter table invoice enable trigger invoice_is_final;
alter table invoice
  alter number set not null,
  add constraint invoice_number unique (tenant_id, number),
  add constraint invoice_void foreign key (tenant_id, voids_id) references invoice (tenant_id, id),
  add constraint invoice_voided_once unique (tenant_id, voids_id),
  add constraint invoice_void_check check (
    (kind = 'credit_note') = (voids_id is not null) and (voids_id is not null) = (reason is not null)),
  add constraint invoice_due_check check ((kind = 'monthly') = (due_on is not null));

create table invoice_state (
  tenant_id uuid not null,
  invoice_id uuid not null,
  state text not null check (state in ('final', 'paid', 'overdue', 'void')),
  -- What of it is still owed.
  outstanding int8 not null check (outstanding >= 0),
  changed_at timestamptz(3) not null,
  paid_at timestamptz(3),
  primary key (tenant_id, invoice_id),
  foreign key (tenant_id, invoice_id) references invoice (tenant_id, id),
  check (state <> 'paid' or (outstanding = 0 and paid_at is not null))
);
create index invoice_state_unsettled on invoice_state (tenant_id) where state in ('final', 'overdue');
select protect_tenant_table('invoice_state');
insert into invoice_state (tenant_id, invoice_id, state, outstanding, changed_at, paid_at)
  select tenant_id, id, 'paid', 0, finalized_at, finalized_at from invoice;

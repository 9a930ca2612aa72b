-- The operator reads journals, payments and invoices of all tenants, newest first.
create index journal_of_all on journal (at desc, id desc);
create index payment_of_all on payment (created_at desc, id desc);
create index invoice_of_all on invoice (finalized_at desc, id desc);

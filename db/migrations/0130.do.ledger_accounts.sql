-- Accounts with a subject (a package's two accounts are named by it), what packages need, and what a
-- tenant owes as an account of its own. The wallet is never below zero any more: what it cannot pay
-- is on `receivable`, and the next money that comes in settles that first.

-- Checks and projections run once per statement, over all its postings: a day of ten thousand
-- tenants is posted by as many small transactions, and a row at a time was most of their cost.
drop trigger posting_balances on posting;
drop trigger posting_is_projected on posting;
drop trigger journal_balances on journal;
drop function refuse_unbalanced_journal();
drop function project_posting();

alter table posting drop constraint posting_tenant_id_account_kind_fkey;
drop index posting_of_account;
alter table account drop constraint account_pkey;

alter table account add subject text not null default '' check (length(subject) <= 100);
alter table account add primary key (tenant_id, kind, subject);
alter table account drop constraint account_kind_check;
alter table account add constraint account_kind_check check (kind in
  ('wallet', 'held', 'revenue', 'cash', 'principal', 'bonus', 'promotion', 'breakage', 'receivable'));
alter table account add constraint account_subject_of_package
  check ((kind in ('principal', 'bonus')) = (subject <> ''));

alter table posting add account_subject text not null default '' check (length(account_subject) <= 100);
-- What happened to a package's credit; the other accounts are read whole or not at all.
create index posting_of_subject on posting (tenant_id, account_subject) where account_subject <> '';
-- What was paid in and back; few of many postings.
create index posting_of_cash on posting (tenant_id) where account_kind = 'cash';

alter table journal drop constraint journal_kind_check;
alter table journal add constraint journal_kind_check check (kind in
  ('top_up', 'hold', 'release', 'charge', 'adjustment', 'credit', 'void', 'payout',
   'package_purchase', 'package_refund', 'breakage', 'order', 'order_refund', 'settlement'));

-- The postings of a journal are written by one statement, numbered from 1, so that this statement
-- can be checked by itself: nothing can be added to the journal later.
create function check_and_project_postings() returns trigger
  language plpgsql
  as $$
declare
  wrong record;
begin
  select journal_id, count(*) as lines, sum(amount) as total into wrong
    from added group by tenant_id, journal_id
    having sum(amount) <> 0 or count(*) < 2 or min(line) <> 1 or max(line) <> count(*)
    limit 1;
  if found then
    raise exception 'journal % does not balance: % lines, sum %',
      wrong.journal_id, wrong.lines, wrong.total
      using errcode = 'check_violation', constraint = 'journal_balances';
  end if;
  -- An account is opened by its first posting. Update before insert: the row of an upsert is checked
  -- before it is known to exist, and what a wallet pays is below zero.
  with delta as (
    select tenant_id, account_kind as kind, account_subject as subject, sum(amount)::int8 as amount
    from added group by 1, 2, 3
  ), moved as (
    update account a set balance = a.balance + d.amount from delta d
    where a.tenant_id = d.tenant_id and a.kind = d.kind and a.subject = d.subject
    returning a.tenant_id, a.kind, a.subject
  )
  insert into account (tenant_id, kind, subject, balance)
    select * from delta d where not exists (
      select from moved m
      where m.tenant_id = d.tenant_id and m.kind = d.kind and m.subject = d.subject);
  return null;
end
$$;
create trigger postings_balance_and_are_projected after insert on posting
  referencing new table as added
  for each statement execute function check_and_project_postings();

-- Checked when the transaction ends, once for each journal: it has postings, which were checked.
create function refuse_empty_journal() returns trigger
  language plpgsql
  as $$
begin
  if not exists (
    select from posting where tenant_id = new.tenant_id and journal_id = new.id and line = 1
  ) then
    raise exception 'journal % does not balance: no lines', new.id
      using errcode = 'check_violation', constraint = 'journal_balances';
  end if;
  return null;
end
$$;
create constraint trigger journal_has_postings after insert on journal
  deferrable initially deferred for each row execute function refuse_empty_journal();

-- The depth is looked at before the function is called: 0 is a statement by hand.
drop trigger balance_is_projected on account;
create trigger balance_is_projected before update of balance on account
  for each row when (old.balance is distinct from new.balance and pg_trigger_depth() = 0)
  execute function refuse_balance_by_hand();
drop trigger balance_starts_at_zero on account;
create trigger balance_starts_at_zero before insert on account
  for each row when (new.balance <> 0 and pg_trigger_depth() = 0)
  execute function refuse_balance_by_hand();
create or replace function refuse_balance_by_hand() returns trigger
  language plpgsql
  as $$
begin
  raise exception 'a balance follows from postings and is not set by hand'
    using errcode = 'restrict_violation';
end
$$;

-- What wallets are below zero is owed.
with below as (
  select tenant_id, gen_random_uuid() as id, -balance as owed
  from account where kind = 'wallet' and balance < 0
), booked as (
  insert into journal (tenant_id, id, key, kind, description, at)
  select tenant_id, id, 'settlement:receivable', 'settlement', 'What is owed has its own account', now()
  from below returning id
)
insert into posting (tenant_id, journal_id, line, account_kind, amount)
  select below.tenant_id, below.id, line, case line when 1 then 'wallet' else 'receivable' end,
    case line when 1 then owed else -owed end
  from below join booked using (id), generate_series(1, 2) line;

alter table account add constraint account_sign_check check (case kind
  when 'receivable' then balance <= 0
  when 'wallet' then balance >= 0
  when 'held' then balance >= 0
  when 'principal' then balance >= 0
  when 'bonus' then balance >= 0
  else true end);

-- Until when a package pays, as drawing it down needs it; what it is as a product stands in orders.
create table package_credit (
  tenant_id uuid not null references tenant,
  id uuid not null,
  -- Local days, both included: the day of the purchase and the last one that it pays for.
  usable_from date not null,
  usable_through date not null,
  -- The midnight after the last day.
  expires_at timestamptz(3) not null,
  -- null while it has credit or may get some back.
  ended_as text check (ended_as in ('refunded', 'expired')),
  primary key (tenant_id, id),
  check (usable_through >= usable_from)
);
create index package_credit_open on package_credit (tenant_id) where ended_as is null;
select protect_tenant_table('package_credit');

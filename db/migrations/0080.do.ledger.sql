-- The one book. Amounts are fen; what is in an account's favor is positive (credit), so a journal
-- sums to zero. The database itself refuses a journal that does not, and any change of a posting.
create table account (
  tenant_id uuid not null references tenant,
  -- wallet: the tenant's money with us; held: set aside for what he started; revenue: what he used;
  -- cash: what he paid in, seen from our side (so it is negative).
  kind text not null check (kind in ('wallet', 'held', 'revenue', 'cash')),
  -- A projection of the postings, kept by their trigger; nobody else may change it.
  balance int8 not null default 0,
  -- Rated but not yet posted: what the rater says that the wallet will still be charged. Of the
  -- wallet only.
  provisional int8 not null default 0 check (kind = 'wallet' or provisional = 0),
  primary key (tenant_id, kind)
);
select protect_tenant_table('account');

create table journal (
  tenant_id uuid not null references tenant,
  id uuid not null,
  -- Names the fact that the journal books, so that a second time is harmless.
  key text not null check (length(key) between 1 and 200),
  kind text not null check (kind in ('top_up', 'hold', 'release', 'charge', 'adjustment', 'credit',
    'void')),
  description text not null check (length(description) <= 500),
  -- The journal that this one takes back.
  voids_id uuid,
  at timestamptz(3) not null,
  primary key (tenant_id, id),
  constraint journal_key unique (tenant_id, key),
  constraint journal_voided_once unique (tenant_id, voids_id),
  foreign key (tenant_id, voids_id) references journal (tenant_id, id),
  check ((kind = 'void') = (voids_id is not null))
);
create index journal_newest on journal (tenant_id, at desc, id desc);
select protect_tenant_table('journal');

create table posting (
  tenant_id uuid not null,
  journal_id uuid not null,
  line int not null check (line >= 1),
  account_kind text not null,
  amount int8 not null check (amount <> 0),
  -- What it is for, e.g. the SKU.
  note text not null default '' check (length(note) <= 200),
  primary key (tenant_id, journal_id, line),
  foreign key (tenant_id, journal_id) references journal (tenant_id, id),
  foreign key (tenant_id, account_kind) references account (tenant_id, kind)
);
create index posting_of_account on posting (tenant_id, account_kind);
select protect_tenant_table('posting');

-- Postings and journals are written once.
create trigger journal_is_final before update or delete on journal
  for each row execute function refuse_change();
create trigger journal_is_kept before truncate on journal
  for each statement execute function refuse_change();
create trigger posting_is_final before update or delete on posting
  for each row execute function refuse_change();
create trigger posting_is_kept before truncate on posting
  for each statement execute function refuse_change();

-- Checked when the transaction ends, once all lines are there. No postings is not balanced either.
create function refuse_unbalanced_journal() returns trigger
  language plpgsql
  as $$
declare
  checked_id uuid := to_jsonb(new) ->> tg_argv[0];
  total numeric;
  lines int;
begin
  select coalesce(sum(amount), 0), count(*) into total, lines
    from posting where tenant_id = new.tenant_id and journal_id = checked_id;
  if total <> 0 or lines < 2 then
    raise exception 'journal % does not balance: % lines, sum %', checked_id, lines, total
      using errcode = 'check_violation', constraint = 'journal_balances';
  end if;
  return null;
end
$$;
create constraint trigger journal_balances after insert on journal
  deferrable initially deferred for each row execute function refuse_unbalanced_journal('id');
create constraint trigger posting_balances after insert on posting
  deferrable initially deferred for each row
  execute function refuse_unbalanced_journal('journal_id');

create function project_posting() returns trigger
  language plpgsql
  as $$
begin
  update account set balance = balance + new.amount
    where tenant_id = new.tenant_id and kind = new.account_kind;
  return null;
end
$$;
create trigger posting_is_projected after insert on posting
  for each row execute function project_posting();

create function refuse_balance_by_hand() returns trigger
  language plpgsql
  as $$
begin
  -- Depth 1 is this trigger itself: then no posting caused the change.
  if pg_trigger_depth() = 1 then
    raise exception 'a balance follows from postings and is not set by hand'
      using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger balance_is_projected before update of balance on account
  for each row when (old.balance is distinct from new.balance)
  execute function refuse_balance_by_hand();
create trigger balance_starts_at_zero before insert on account
  for each row when (new.balance <> 0) execute function refuse_balance_by_hand();
create trigger account_is_kept before delete on account
  for each row execute function refuse_change();

-- What the placer decided and from what: one row for each pass that started something or refused
-- something anew. Of all tenants, so it is the platform's alone. Kept for 90 days.
create table decision (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null,
  -- Of the placement engine and of the queue.
  policy text not null,
  started int not null,
  refused int not null,
  -- How many waited, room by pool, digests of capacity and limits, and the compact form of those
  -- entries that were decided anew.
  inputs jsonb not null,
  -- Who started where, and who waits for what reason.
  answers jsonb not null
);
create index decision_by_time on decision (at);
revoke all on decision from millrace_tenant;

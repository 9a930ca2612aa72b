-- Bodies of usage that were taken in whole, each event of them a row: the same bytes again are known
-- by one look. It only saves time: an event is known by its own identity for ever, so rows may go.
create table usage_batch (
  -- SHA-256 of the body as it was sent.
  digest bytea primary key check (octet_length(digest) = 32),
  events int not null check (events > 0),
  received_at timestamptz(3) not null
);
create index usage_batch_oldest on usage_batch (received_at);
revoke all on usage_batch from millrace_tenant;

-- Usage that somebody has to look at: what cannot be taken in by itself, and what came too late to be
-- charged. Nothing that was sent is dropped without a word.
create table usage_review (
  id uuid primary key,
  reason text not null check (reason ~ '^[a-z][a-z_]{0,60}$'),
  message text not null,
  source text not null check (length(source) between 1 and 100),
  event_id text not null check (length(event_id) between 1 and 128),
  -- SHA-256 of the canonical event: the same one is not listed twice.
  digest bytea not null check (octet_length(digest) = 32),
  event text not null check (length(event) <= 4000),
  -- As the event says; there may be no such tenant.
  named_tenant uuid not null,
  state text not null default 'open' check (state in ('open', 'accepted', 'rejected')),
  received_at timestamptz(3) not null,
  closed_at timestamptz(3),
  closed_by text,
  note text,
  constraint usage_review_once unique (source, event_id, digest, reason),
  check ((state = 'open') = (closed_at is null))
);
create index usage_review_open on usage_review (received_at, id) where state = 'open';
create index usage_review_oldest on usage_review (received_at, id);
revoke all on usage_review from millrace_tenant;

-- A meter's key may hand in usage and do nothing else.
alter table api_key drop constraint api_key_scope_check;
alter table api_key add constraint api_key_scope_check check (scope in ('all', 'read', 'usage.write'));

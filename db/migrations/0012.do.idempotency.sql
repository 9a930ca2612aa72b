-- Answers to mutations that carried an Idempotency-Key, so that the same request again gets the
-- same answer and has no second effect. Written in the transaction of the mutation, kept for a day.
create table idempotent_answer (
  tenant_id uuid not null references tenant (id),
  user_id uuid not null,
  -- SHA-256 of the Idempotency-Key.
  key_hash bytea not null check (octet_length(key_hash) = 32),
  -- SHA-256 of the operation and its parsed input.
  request_hash bytea not null check (octet_length(request_hash) = 32),
  created_at timestamptz(3) not null,
  -- Null only inside the transaction that is making the answer.
  status smallint,
  -- Sealed with a key that follows from the caller's credential, which is not stored here: an
  -- answer may carry a secret.
  sealed_answer bytea,
  primary key (tenant_id, user_id, key_hash)
);
create index idempotent_answer_by_age on idempotent_answer (created_at);
select protect_tenant_table('idempotent_answer');

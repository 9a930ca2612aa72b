-- Signing in with a browser: sessions, one-time codes and invitations, passwords.

-- What a person signs in with, beside a password; one person of the whole installation.
alter table tenant_user
  add column email text
    constraint tenant_user_email unique
    check (email = lower(email) and length(email) between 3 and 254);

create table session (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  -- The key that it was made of, with which it ends.
  key_id uuid,
  made_by text not null check (made_by in ('key', 'code', 'password', 'invitation')),
  scope text not null check (scope in ('all', 'read')),
  -- The public part of the secret, by which the session is found.
  prefix text not null constraint session_prefix unique,
  -- SHA-256 of the whole secret, which holds 256 random bits.
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  created_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3),
  ended_by text check (ended_by in
    ('signed_out', 'revoked', 'key_revoked', 'user_disabled', 'password_changed', 'too_many')),
  -- As they came, cut to a length; shown to the user and to the tenant's administrators.
  user_agent text not null,
  address text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references tenant_user (tenant_id, id),
  foreign key (tenant_id, key_id) references api_key (tenant_id, id),
  check ((ended_at is null) = (ended_by is null))
);
create index session_by_age on session (tenant_id, created_at, id) where ended_at is null;
create index session_of_user on session (tenant_id, user_id) where ended_at is null;
create index session_of_key on session (tenant_id, key_id) where ended_at is null;
create index session_over on session (least(expires_at, ended_at));
select protect_tenant_table('session');

create table sign_in_code (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  -- The key that asked for it: the session will end with it.
  key_id uuid,
  scope text not null check (scope in ('all', 'read')),
  -- An invitation lets its user set a password; the other opens a session and nothing else.
  purpose text not null check (purpose in ('sign_in', 'invitation')),
  secret_hash bytea not null constraint sign_in_code_secret unique
    check (octet_length(secret_hash) = 32),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  used_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references tenant_user (tenant_id, id),
  foreign key (tenant_id, key_id) references api_key (tenant_id, id)
);
create index sign_in_code_of_user on sign_in_code (tenant_id, user_id);
create index sign_in_code_over on sign_in_code (expires_at);
select protect_tenant_table('sign_in_code');

-- Beside the user, so that nothing that reads users can read this.
create table user_password (
  tenant_id uuid not null,
  user_id uuid not null,
  -- scrypt$log2 N$r$p$salt$hash, the last two in base64url.
  hash text not null,
  set_at timestamptz(3) not null,
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references tenant_user (tenant_id, id)
);
select protect_tenant_table('user_password');

alter table audit_entry add column actor_session_id uuid;

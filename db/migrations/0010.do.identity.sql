-- Who may call: tenants, their projects, users and keys.
--
-- Instants are kept to the millisecond, which is what the program computes with; so a cursor
-- made of (created_at, id) names a row exactly.

create table tenant (
  id uuid primary key,
  kind text not null check (kind in ('operator', 'customer')),
  name text not null constraint tenant_name unique,
  display_name text not null,
  -- IANA name; days and months on the tenant's bills are those of this zone.
  time_zone text not null,
  state text not null default 'active' check (state in ('active', 'suspended')),
  created_at timestamptz(3) not null,
  constraint operator_stays_active check (kind = 'customer' or state = 'active')
);
create unique index one_operator on tenant (kind) where kind = 'operator';
create index tenant_by_age on tenant (created_at, id);
-- A tenant sees its own row; only the operator writes here.
alter table tenant enable row level security;
create policy own_row on tenant to millrace_tenant using (id = current_tenant_id());
revoke insert, update, delete on tenant from millrace_tenant;

create table project (
  tenant_id uuid not null references tenant (id),
  id uuid not null,
  name text not null,
  created_at timestamptz(3) not null,
  -- What is billed names its project for ever, so the row stays.
  deleted_at timestamptz(3),
  primary key (tenant_id, id)
);
create unique index project_name on project (tenant_id, name) where deleted_at is null;
create index project_by_age on project (tenant_id, created_at, id) where deleted_at is null;
select protect_tenant_table('project');

create table tenant_user (
  tenant_id uuid not null references tenant (id),
  id uuid not null,
  name text not null,
  role text not null check (role in ('root', 'domain_admin', 'user', 'billing', 'viewer')),
  state text not null default 'active' check (state in ('active', 'disabled')),
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  constraint tenant_user_name unique (tenant_id, name)
);
create index tenant_user_by_age on tenant_user (tenant_id, created_at, id);
select protect_tenant_table('tenant_user');

-- The second wall behind the rule that root users exist in the operator's tenant only.
create function refuse_root_of_customer() returns trigger
  language plpgsql
  as $$
begin
  if not exists (select from tenant where id = new.tenant_id and kind = 'operator') then
    raise exception 'a user of a customer cannot be root' using errcode = 'check_violation';
  end if;
  return new;
end
$$;
create trigger root_is_of_operator before insert or update on tenant_user
  for each row when (new.role = 'root') execute function refuse_root_of_customer();

create table api_key (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  name text not null,
  scope text not null check (scope in ('all', 'read')),
  -- The public part of the secret, by which the key is found.
  prefix text not null constraint api_key_prefix unique,
  -- SHA-256 of the whole secret. The secret holds 256 random bits, so there is nothing that a slow
  -- hash could protect from guessing.
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  created_at timestamptz(3) not null,
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references tenant_user (tenant_id, id)
);
create index api_key_by_age on api_key (tenant_id, created_at, id) where revoked_at is null;
create index api_key_of_user on api_key (tenant_id, user_id) where revoked_at is null;
select protect_tenant_table('api_key');

create table ssh_key (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  name text not null,
  -- Type and key of the OpenSSH line, without its comment.
  public_key text not null,
  -- As ssh-keygen shows it: SHA256:…
  fingerprint text not null,
  created_at timestamptz(3) not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, user_id) references tenant_user (tenant_id, id),
  constraint ssh_key_name unique (tenant_id, user_id, name),
  constraint ssh_key_fingerprint unique (tenant_id, user_id, fingerprint)
);
create index ssh_key_by_age on ssh_key (tenant_id, user_id, created_at, id);
select protect_tenant_table('ssh_key');

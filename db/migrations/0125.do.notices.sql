-- What was said to a tenant: once per key. And what the operator must look at: an alert is raised
-- again while its cause lasts, and resolved when it is gone.
create table notice (
  tenant_id uuid not null references tenant,
  id uuid not null,
  -- Names the fact that it tells of, so that a second time is harmless.
  key text not null check (length(key) between 1 and 200),
  kind text not null check (kind ~ '^[a-z][a-z0-9_]{0,60}$'),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  -- What the sentence is filled with.
  data jsonb not null,
  at timestamptz(3) not null,
  read_at timestamptz(3),
  primary key (tenant_id, id),
  constraint notice_key unique (tenant_id, key)
);
create index notice_newest on notice (tenant_id, at desc, id desc);
select protect_tenant_table('notice');

create table alert (
  id uuid primary key,
  key text not null unique check (length(key) between 1 and 200),
  kind text not null check (kind ~ '^[a-z][a-z0-9_]{0,60}$'),
  severity text not null check (severity in ('warning', 'critical')),
  -- Whom it is about, if one tenant.
  about_tenant_id uuid references tenant,
  data jsonb not null,
  raised_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  -- How often it was seen since it was raised.
  seen int8 not null default 1,
  resolved_at timestamptz(3),
  resolved_by text
);
create index alert_newest on alert (raised_at desc, id desc);
create index alert_open on alert (kind) where resolved_at is null;

-- Work for a tenant raises and resolves alerts, and reads none.
revoke all on alert from millrace_tenant;

create function raise_alert(
  raised_id uuid, raised_key text, raised_kind text, raised_severity text, raised_tenant uuid,
  raised_data jsonb, at timestamptz
) returns boolean
  language sql security definer set search_path = public, pg_temp
  as $$
    insert into alert as a
      (id, key, kind, severity, about_tenant_id, data, raised_at, last_seen_at)
    values (raised_id, raised_key, raised_kind, raised_severity, raised_tenant, raised_data, at, at)
    on conflict (key) do update set
      kind = excluded.kind, severity = excluded.severity, data = excluded.data,
      last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
      raised_at = case when a.resolved_at is null then a.raised_at else excluded.raised_at end,
      seen = case when a.resolved_at is null then a.seen + 1 else 1 end,
      resolved_at = null, resolved_by = null
    returning seen = 1
  $$;

create function resolve_alert(resolved_key text, who text, at timestamptz) returns boolean
  language sql security definer set search_path = public, pg_temp
  as $$
    with resolved as (
      update alert set resolved_at = at, resolved_by = who
      where key = resolved_key and resolved_at is null returning 1
    ) select exists (select from resolved)
  $$;

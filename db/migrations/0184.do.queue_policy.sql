-- What the queue's policy looks at.
alter table request
  -- Of several that start together or not at all; all their members have it, and their number.
  add column gang_id uuid,
  add column gang_size int not null default 1 check (gang_size between 1 and 1024),
  -- Each member on a host of its own, or close together.
  add column gang_how text not null default 'pack' check (gang_how in ('spread', 'pack')),
  add column preemptible boolean not null default false,
  -- The turn that it is in was asked for because of a fault of ours: it may use a pool's reserve.
  add column after_fault boolean not null default false,
  -- Requests whose hosts it wants to share, and those that it keeps away from.
  add column near uuid[] not null default '{}' check (cardinality(near) <= 64),
  add column apart uuid[] not null default '{}' check (cardinality(apart) <= 64),
  add constraint request_gang check ((gang_id is null) = (gang_size = 1));
create index request_of_gang on request (tenant_id, gang_id) where gang_id is not null;

alter table queue_entry
  -- What its place in the order counts from: a job keeps that of its first turn.
  add column asked_at timestamptz(3),
  -- Leases are read first, because people wait for them.
  add column lane int not null default 1 check (lane in (0, 1));
-- The policy decides the order. These say which entries are read when there are more than one pass
-- looks at: the oldest, and the first of each class.
drop index queue_entry_waiting;
create index queue_entry_by_age on queue_entry (enqueued_at, request_id) where state = 'waiting';
create index queue_entry_by_class on queue_entry (lane, priority, enqueued_at, request_id)
  where state = 'waiting';

-- Who waits for a pool, in order, and when each may start: written by the placer as a whole, because
-- all of it changes with each start. Of all tenants, so one asks for one request at a time.
create table queue_outlook (
  pool text primary key,
  at timestamptz(3) not null,
  request_ids uuid[] not null,
  -- Epoch milliseconds, null where nobody knows.
  earliest int8[] not null,
  likely int8[] not null,
  latest int8[] not null
);
revoke all on queue_outlook from millrace_tenant;
create function queue_outlook_of(request_id uuid)
  returns table (pool text, "position" int, waiting int, earliest int8, likely int8, latest int8)
  language sql stable security definer set search_path = public
  as $$
    select o.pool, f.at, cardinality(o.request_ids), o.earliest[f.at], o.likely[f.at], o.latest[f.at]
    from queue_outlook o, lateral (select array_position(o.request_ids, request_id) as at) f
    where f.at is not null order by o.at desc limit 1
  $$;

-- Huge pages belong to what is never oversold: also by a resize, which asks no placer.
create or replace function check_host_capacity() returns trigger
  language plpgsql security definer set search_path = public
  as $$
declare
  over record;
begin
  -- One at a time on one host: otherwise neither of two would see the other's rows.
  perform from host where id = new.host_id for no key update;
  select h.name, h.cpus, h.memory_bytes, h.disk_bytes,
      coalesce((h.huge_pages->>'2Mi')::int8, 0) * 2 as huge_2_mib,
      coalesce((h.huge_pages->>'1Gi')::int8, 0) * 1024 as huge_1024_mib,
      sum(p.milli_cpus) filter (where p.state = 'full') as cpus_used,
      sum(p.memory_bytes) filter (where p.state = 'full') as memory_used,
      sum(p.disk_bytes) as disk_used,
      coalesce(sum((p.shape->>'memoryMiB')::int8)
        filter (where p.state = 'full' and p.shape->>'hugePages' = '2Mi'), 0) as huge_2_used,
      coalesce(sum((p.shape->>'memoryMiB')::int8)
        filter (where p.state = 'full' and p.shape->>'hugePages' = '1Gi'), 0) as huge_1024_used
    into over
    from host h join placement p on p.host_id = h.id and p.state <> 'none'
    where h.id = new.host_id
    group by h.id;
  if over.cpus_used > over.cpus * 1000 or over.memory_used > over.memory_bytes
      or over.disk_used > over.disk_bytes or over.huge_2_used > over.huge_2_mib
      or over.huge_1024_used > over.huge_1024_mib then
    raise exception 'host % would be oversold: cpu % of %, memory % of %, disk % of %, 2Mi pages % of % MiB, 1Gi pages % of % MiB',
      over.name, over.cpus_used, over.cpus * 1000, over.memory_used, over.memory_bytes,
      over.disk_used, over.disk_bytes, over.huge_2_used, over.huge_2_mib, over.huge_1024_used,
      over.huge_1024_mib using errcode = 'check_violation', constraint = 'host_capacity';
  end if;
  return null;
end
$$;

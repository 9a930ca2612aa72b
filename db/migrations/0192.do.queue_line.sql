-- How many wait for a pool and until when: what anybody may know of a line that he thinks of joining.
create function queue_line_of(asked text)
  returns table (waiting int, latest int8)
  language sql stable security definer set search_path = public
  as $$
    select cardinality(o.request_ids), (select max(t) from unnest(o.latest) as t)
    from queue_outlook o where o.pool = asked
  $$;

-- Which instances have transitions that are not metered yet, so that the meter's look costs what is
-- behind and not what was ever run. The transition itself says so, in its own transaction: metering
-- cannot miss what another stage has written.
alter table meter_cursor add column known_seq int not null default 0;

insert into meter_cursor (tenant_id, instance_id, metered_seq, known_seq)
  select tenant_id, instance_id, 0, max(seq) from transition group by tenant_id, instance_id
  on conflict (tenant_id, instance_id) do update set known_seq = excluded.known_seq;

create index meter_cursor_behind on meter_cursor (instance_id) where known_seq > metered_seq;

create function tell_the_meter() returns trigger
  language plpgsql
  as $$
begin
  insert into meter_cursor (tenant_id, instance_id, metered_seq, known_seq)
    values (new.tenant_id, new.instance_id, 0, new.seq)
    on conflict (tenant_id, instance_id)
    do update set known_seq = greatest(meter_cursor.known_seq, excluded.known_seq);
  return null;
end
$$;
create trigger transition_is_metered after insert on transition
  for each row execute function tell_the_meter();

-- How far the events had come that a posted line rests on: exact, where the instant of posting is not,
-- because an event is stamped when its transaction begins and seen when it ends.

-- Events of a tenant get their numbers one transaction after another (his account is locked), so all
-- that are in the roll-up are those up to this one.
alter table usage_account add last_received int8;
update usage_account a set last_received =
  (select max(e.received) from usage_event e where e.tenant_id = a.tenant_id);

-- Null while a line is provisional, and for lines that were posted before this was kept: for those the
-- events are told apart by when they were accepted.
alter table charge_line add received_through int8;

-- The devices that a machine was made with. A stopped lease gives its claims back, and starts again
-- with these and no others: they are part of the machine.
alter table placement add column device_ids jsonb not null default '[]';

-- Since when a host is in the state that it is in: what ran on one that is down goes on elsewhere after
-- a while, and customers are told since when.
alter table host add column state_since timestamptz(3) not null default now();

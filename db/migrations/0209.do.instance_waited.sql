-- Until when an instance was last seen to wait for what goes by itself, such as the copy of a large image:
-- only from then on its guest is given the time that a boot takes.
alter table instance add column waited_until timestamptz(3);

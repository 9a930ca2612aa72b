-- Until when a machine that the platform no longer has was there: the last complete listing before it
-- was first missed. What it held is billed to that instant, however long nobody looked.
alter table instance add column seen_until timestamptz(3);

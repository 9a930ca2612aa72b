-- A lease that is a copy of another one is made of a snapshot of that one's disk, which is taken for it
-- and removed when the copy has its machine (src/flow/provision/clones.ts).
alter table snapshot
  -- Whose it is: its owner keeps it as long as he likes; one for clones goes when none waits for it.
  add made_for text not null default 'owner' check (made_for in ('owner', 'clone'));
create index snapshot_for_clone on snapshot (instance_id)
  where made_for = 'clone' and state <> 'gone';

-- The metering log: which event is which leaf, the hash tiles of the tree over them, and what was
-- signed. An RFC 6962 tree in the form of C2SP tlog-tiles.

create table log_entry (
  leaf_index int8 primary key check (leaf_index >= 0),
  -- Of the event.
  received int8 not null constraint log_entry_received unique
);
create trigger log_entry_append_only before update or delete on log_entry
  for each row execute function refuse_change();
create trigger log_entry_is_kept before truncate on log_entry
  for each statement execute function refuse_change();
revoke insert, update, delete on log_entry from millrace_tenant;

create table log_tile (
  level int not null check (level between 0 and 63),
  index int8 not null check (index >= 0),
  -- 1 to 256 hashes of 32 bytes; a tile only grows.
  hashes bytea not null check (octet_length(hashes) between 32 and 8192
    and octet_length(hashes) % 32 = 0),
  primary key (level, index)
);
-- A full tile is about as large as a page: kept out of line and as it is.
alter table log_tile alter hashes set storage external;
create trigger log_tile_only_grows before update on log_tile
  for each row when (octet_length(old.hashes) >= octet_length(new.hashes)
    or substr(new.hashes, 1, octet_length(old.hashes)) <> old.hashes
    or (old.level, old.index) is distinct from (new.level, new.index))
  execute function refuse_change();
create trigger log_tile_is_kept before delete on log_tile
  for each row execute function refuse_change();
create trigger log_tile_is_whole before truncate on log_tile
  for each statement execute function refuse_change();
revoke insert, update, delete on log_tile from millrace_tenant;

create table log_checkpoint (
  id int8 primary key generated always as identity,
  size int8 not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  -- The signed note, as it is published.
  note text not null,
  signed_at timestamptz(3) not null,
  -- The local day of the billing zone that it closes, if it closes one.
  closes_day date unique
);
create index log_checkpoint_size on log_checkpoint (size);
create trigger log_checkpoint_append_only before update or delete on log_checkpoint
  for each row execute function refuse_change();
create trigger log_checkpoint_is_kept before truncate on log_checkpoint
  for each statement execute function refuse_change();
revoke insert, update, delete on log_checkpoint from millrace_tenant;

-- The key that the log is checked with. Whoever has another one does not sign.
create table log_key (
  one boolean primary key default true check (one),
  -- C2SP signed-note, "verifier key": name+id+base64.
  key text not null,
  created_at timestamptz(3) not null
);
create trigger log_key_is_kept before update or delete on log_key
  for each row execute function refuse_change();
revoke insert, update, delete on log_key from millrace_tenant;

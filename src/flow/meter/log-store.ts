/**
 * Rows of the metering log: the queue of events that it does not have yet, its entries, tiles and
 * checkpoints. What must stay true: entries are numbered from 0 without a gap, in the order of
 * acceptance; tiles and checkpoints are those of the tree over them (`checkLog` rebuilds it).
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import type { Tile, TileName } from "#tlog/tile.ts";

import { arrayLiteral } from "./event-store.ts";

const bytes = z.instanceof(Buffer);

/** The one writer of the log, until the transaction ends; false if somebody else is. */
export async function lockLog(tx: Tx): Promise<boolean> {
  const { mine } = await tx.one(
    sql`select pg_try_advisory_xact_lock(hashtext('millrace.log')) as mine`,
    z.object({ mine: z.boolean() }),
  );
  return mine;
}

export async function logSize(db: Queryable): Promise<number> {
  const { leaves } = await db.one(
    sql`select coalesce(max(leaf_index) + 1, 0) as leaves from log_entry`,
    z.object({ leaves: size }),
  );
  return leaves;
}

/** When the first event of the log was accepted. */
export async function logBegunAt(db: Queryable): Promise<number | undefined> {
  const row = await db.maybe(
    sql`select e.received_at as at from log_entry l join usage_event e on e.received = l.received
      where l.leaf_index = 0`,
    z.object({ at: instant }),
  );
  return row?.at;
}

/** Moves events from the queue into the log, from this index on; their leaf hashes, packed. */
export async function takePending(
  tx: Tx,
  { from, limit }: { readonly from: number; readonly limit: number },
): Promise<Uint8Array> {
  const { hashes } = await tx.one(
    sql`with taken as (
        delete from log_pending where received in (
          select received from log_pending order by received limit ${limit})
        returning received, leaf_hash
      ), numbered as (
        select received, leaf_hash,
          ${from}::int8 + row_number() over (order by received) - 1 as leaf_index
        from taken
      ), entered as (
        insert into log_entry (leaf_index, received)
        select leaf_index, received from numbered order by leaf_index
      )
      select coalesce(string_agg(leaf_hash, '' order by leaf_index), '') as hashes from numbered`,
    z.object({ hashes: bytes }),
  );
  return hashes;
}

const tileRow = z.object({ level: z.int(), index: size, hashes: bytes });

/** Those that are there, as wide as they are. */
export async function storedTiles(
  db: Queryable,
  names: readonly Omit<TileName, "width">[],
): Promise<(level: number, index: number) => Uint8Array | undefined> {
  const rows = await db.rows(
    sql`select level, index, hashes from log_tile where (level, index) in (
      select * from unnest(${arrayLiteral(names.map(({ level }) => level))}::int[],
        ${arrayLiteral(names.map(({ index }) => index))}::int8[]))`,
    tileRow,
  );
  const found = new Map(rows.map(({ level, index, hashes }) => [`${level} ${index}`, hashes]));
  return (level, index) => found.get(`${level} ${index}`);
}

export async function saveTiles(tx: Tx, tiles: readonly Tile[]): Promise<void> {
  if (tiles.length === 0) return;
  const hashes = tiles.map((tile) => Buffer.from(tile.hashes).toString("hex"));
  await tx.execute(sql`
    insert into log_tile (level, index, hashes)
    select level, index, decode(hashes, 'hex') from unnest(
      ${arrayLiteral(tiles.map(({ level }) => level))}::int[],
      ${arrayLiteral(tiles.map(({ index }) => index))}::int8[],
      ${arrayLiteral(hashes)}::text[]) as t (level, index, hashes)
    on conflict (level, index) do update set hashes = excluded.hashes`);
}

const checkpointRow = z
  .object({
    size,
    root: bytes,
    note: z.string(),
    signed_at: instant,
    closes_day: z.string().refine(isLocalDay).nullable(),
  })
  .transform((row) => ({
    size: row.size,
    root: new Uint8Array(row.root),
    note: row.note,
    signedAt: row.signed_at,
    closesDay: row.closes_day === null ? undefined : localDay(row.closes_day),
  }));
export type StoredCheckpoint = z.output<typeof checkpointRow>;

const checkpointColumns = sql`size, root, note, signed_at, closes_day::text`;

export function latestCheckpoint(db: Queryable): Promise<StoredCheckpoint | undefined> {
  return db.maybe(
    sql`select ${checkpointColumns} from log_checkpoint order by id desc limit 1`,
    checkpointRow,
  );
}

const checkpointsMax = 1_000_000;

/** All of them, by size. */
export function checkpoints(db: Queryable): Promise<StoredCheckpoint[]> {
  return db.rows(
    sql`select ${checkpointColumns} from log_checkpoint order by size, id limit ${checkpointsMax}`,
    checkpointRow,
  );
}

/** The first one that covers so many leaves. */
export function checkpointCovering(
  db: Queryable,
  leaves: number,
): Promise<StoredCheckpoint | undefined> {
  return db.maybe(
    sql`select ${checkpointColumns} from log_checkpoint where size >= ${leaves}
      order by size, id limit 1`,
    checkpointRow,
  );
}

/** The last one that was signed before an instant. */
export function checkpointBefore(db: Queryable, at: number): Promise<StoredCheckpoint | undefined> {
  return db.maybe(
    sql`select ${checkpointColumns} from log_checkpoint where signed_at < ${new Date(at)}
      order by id desc limit 1`,
    checkpointRow,
  );
}

/** What rests on entries that were not signed before can be billed. */
export const signedChannel = "log-signed";

/** A clock that was set back comes to the end of a day again; the first checkpoint closes it. */
export async function saveCheckpoint(
  tx: Tx,
  checkpoint: {
    readonly size: number;
    readonly root: Uint8Array;
    readonly note: string;
    readonly signedAt: number;
    readonly closesDay: LocalDay | undefined;
  },
): Promise<void> {
  tx.nudge(signedChannel);
  const { size: leaves, root, note, signedAt, closesDay } = checkpoint;
  await tx.execute(sql`
    insert into log_checkpoint (size, root, note, signed_at, closes_day)
    select ${leaves}::int8, ${Buffer.from(root)}::bytea, ${note}, ${new Date(signedAt)}::timestamptz,
      (select closed from (values (${closesDay ?? null}::date)) as d (closed)
        where not exists (select from log_checkpoint c where c.closes_day = closed))`);
}

/** The key that the log is checked with, as text; `undefined` before there is one. */
export async function logKey(db: Queryable): Promise<string | undefined> {
  const row = await db.maybe(sql`select key from log_key`, z.object({ key: z.string() }));
  return row?.key;
}

/** The first one stays. */
export async function recordLogKey(db: Queryable, key: string, at: number): Promise<void> {
  await db.execute(sql`
    insert into log_key (key, created_at) values (${key}, ${new Date(at)})
    on conflict do nothing`);
}

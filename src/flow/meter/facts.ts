/**
 * What the database knows of events that somebody hands in: whether they are there already, whether
 * they overlap with others, whether their instance is metered here. One statement for a batch, whose
 * answer is one row: most batches have nothing to say.
 *
 * The overlap is looked for in the last event that begins before the end: one step in an index,
 * whatever a meter sends. That is all of it as long as events of an instance and SKU do not overlap;
 * where somebody accepted one that does (resolve.ts), the next overlap with it may be taken in too.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { saltBytes } from "#tlog/leaf.ts";

import { arrayLiteral } from "./event-store.ts";
import type { UsageEvent } from "./event.ts";

const leafBytes = 32;
const knownBytes = saltBytes + leafBytes;

export interface Facts {
  /** By position in the batch. */
  readonly known: ReadonlyMap<number, KnownLeaf>;
  readonly overlapping: ReadonlySet<number>;
  readonly meteredHere: ReadonlySet<number>;
}

export interface KnownLeaf {
  /** In base64. */
  readonly salt: string;
  /** In hexadecimal. */
  readonly leafHash: string;
}

const factsRow = z.object({
  known_places: z.string(),
  known: z.instanceof(Buffer),
  overlapping: z.string(),
  here: z.string(),
});

const nowhere = "00000000-0000-0000-0000-000000000000";

export async function factsOf(tx: Tx, events: readonly UsageEvent[]): Promise<Facts> {
  const source: string[] = [];
  const id: string[] = [];
  const instance: string[] = [];
  const sku: string[] = [];
  const from: number[] = [];
  const until: number[] = [];
  for (const event of events) {
    source.push(`"${event.source}"`);
    id.push(`"${event.id}"`);
    const isRecorded = event.kind === "recorded";
    instance.push(isRecorded ? event.instanceId : nowhere);
    sku.push(isRecorded ? `"${event.sku}"` : '""');
    from.push(isRecorded ? event.from / 1000 : 0);
    until.push(isRecorded ? event.until / 1000 : 0);
  }
  const row = await tx.one(
    sql`with e as materialized (
        select source, id, instance_id, sku, to_timestamp(since) as since,
          to_timestamp(until) as until, n - 1 as place
        from unnest(${arrayLiteral(source)}::text[], ${arrayLiteral(id)}::text[],
          ${arrayLiteral(instance)}::uuid[], ${arrayLiteral(sku)}::text[],
          ${arrayLiteral(from)}::int8[], ${arrayLiteral(until)}::int8[])
          with ordinality as t (source, id, instance_id, sku, since, until, n)
      ), known as materialized (
        select e.place, k.salt || k.leaf_hash as bytes
        from e join usage_event k on k.source = e.source and k.id = e.id
      ), fresh as materialized (
        select e.* from e left join known k on k.place = e.place where k.place is null
      )
      select
        coalesce((select string_agg(place::text, ',' order by place) from known), '')
          as known_places,
        coalesce((select string_agg(bytes, ''::bytea order by place) from known), '') as known,
        coalesce((select string_agg(place::text, ',') from fresh f where f.since < (
            select p.used_until from usage_event p
            where p.instance_id = f.instance_id and p.sku = f.sku and p.used_from < f.until
              and p.kind = 'recorded' and not exists (
                select from usage_event r where r.source = p.source and r.retracts = p.id)
            order by p.used_from desc limit 1)), '') as overlapping,
        coalesce((select string_agg(place::text, ',') from fresh f
          where exists (select from instance i where i.id = f.instance_id)), '') as here`,
    factsRow,
  );
  const known = new Map<number, KnownLeaf>();
  for (const [at, place] of places(row.known_places).entries()) {
    const start = at * knownBytes;
    known.set(place, {
      salt: row.known.toString("base64", start, start + saltBytes),
      leafHash: row.known.toString("hex", start + saltBytes, start + knownBytes),
    });
  }
  return {
    known,
    overlapping: new Set(places(row.overlapping)),
    meteredHere: new Set(places(row.here)),
  };
}

function places(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

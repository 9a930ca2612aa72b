/**
 * What the database knows of events that somebody hands in: whether they are there already, whether
 * they overlap with others, whether their instance is metered here. The answer is one row: most
 * batches have nothing to say.
 *
 * The overlap is looked for in the last event that begins before the end: one step in an index,
 * whatever a meter sends. That is all of it as long as events of an instance and SKU do not overlap;
 * where somebody accepted one that does (resolve.ts), the next overlap with it may be taken in too.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { assert } from "#kernel/assert.ts";
import { saltBytes } from "#tlog/leaf.ts";

import { arrayLiteral, type KnownLeaf } from "./event-store.ts";
import type { UsageEvent } from "./event.ts";

const leafBytes = 32;
const knownBytes = saltBytes + leafBytes;

export interface Facts {
  /** By position in the batch. */
  readonly known: ReadonlyMap<number, KnownLeaf>;
  readonly overlapping: ReadonlySet<number>;
  readonly meteredHere: ReadonlySet<number>;
}

/**
 * What is fresh is looked at by a second statement: a batch that came before ends with the first.
 * `known`: what `knownOf` said of these events, where it was asked already.
 */
export async function factsOf(
  tx: Tx,
  events: readonly UsageEvent[],
  known: ReadonlyMap<number, KnownLeaf> | undefined,
): Promise<Facts> {
  return freshFacts(tx, events, known ?? (await knownOf(tx, events)));
}

async function freshFacts(
  tx: Tx,
  events: readonly UsageEvent[],
  known: ReadonlyMap<number, KnownLeaf>,
): Promise<Facts> {
  const fresh: number[] = [];
  for (const [place, event] of events.entries()) {
    if (event.kind === "recorded" && !known.has(place)) fresh.push(place);
  }
  if (fresh.length === 0) return { known, overlapping: new Set(), meteredHere: new Set() };
  return { known, ...(await surroundingsOf(tx, events, fresh)) };
}

const knownRow = z.object({ known_places: z.string(), known: z.instanceof(Buffer) });

/** Those that are there under their identity, by position. */
export async function knownOf(
  tx: Tx,
  events: readonly Pick<UsageEvent, "source" | "id">[],
): Promise<ReadonlyMap<number, KnownLeaf>> {
  const row = await tx.one(
    sql`with known as materialized (
        select e.n - 1 as place, k.salt || k.leaf_hash as bytes
        from unnest(${arrayLiteral(events.map(({ source }) => `"${source}"`))}::text[],
          ${arrayLiteral(events.map(({ id }) => `"${id}"`))}::text[])
          with ordinality as e (source, id, n)
        join usage_event k on k.source = e.source and k.id = e.id
      )
      select coalesce(string_agg(place::text, ',' order by place), '') as known_places,
        coalesce(string_agg(bytes, ''::bytea order by place), '') as known
      from known`,
    knownRow,
  );
  const known = new Map<number, KnownLeaf>();
  for (const [at, place] of places(row.known_places).entries()) {
    const start = at * knownBytes;
    known.set(place, {
      salt: row.known.toString("base64", start, start + saltBytes),
      leafHash: row.known.toString("hex", start + saltBytes, start + knownBytes),
    });
  }
  return known;
}

const surroundingsRow = z.object({ overlapping: z.string(), here: z.string() });

async function surroundingsOf(
  tx: Tx,
  events: readonly UsageEvent[],
  fresh: readonly number[],
): Promise<Pick<Facts, "overlapping" | "meteredHere">> {
  const instance: string[] = [];
  const sku: string[] = [];
  const from: number[] = [];
  const until: number[] = [];
  for (const place of fresh) {
    const event = events[place];
    assert(event?.kind === "recorded", "only what was used can overlap");
    instance.push(event.instanceId);
    sku.push(`"${event.sku}"`);
    from.push(event.from / 1000);
    until.push(event.until / 1000);
  }
  const row = await tx.one(
    sql`with fresh as materialized (
        select place, instance_id, sku, to_timestamp(since) as since,
          to_timestamp(until) as until
        from unnest(${arrayLiteral(fresh)}::int[], ${arrayLiteral(instance)}::uuid[],
          ${arrayLiteral(sku)}::text[], ${arrayLiteral(from)}::int8[],
          ${arrayLiteral(until)}::int8[]) as t (place, instance_id, sku, since, until)
      )
      select
        coalesce((select string_agg(place::text, ',') from fresh f where f.since < (
            select p.used_until from usage_event p
            where p.instance_id = f.instance_id and p.sku = f.sku and p.used_from < f.until
              and p.kind = 'recorded' and not exists (
                select from usage_event r where r.source = p.source and r.retracts = p.id)
            order by p.used_from desc limit 1)), '') as overlapping,
        coalesce((select string_agg(place::text, ',') from fresh f
          where exists (select from instance i where i.id = f.instance_id)), '') as here`,
    surroundingsRow,
  );
  return {
    overlapping: new Set(places(row.overlapping)),
    meteredHere: new Set(places(row.here)),
  };
}

function places(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

/** Everything that a pass looks at, read at one moment, and a digest that says if it changed. */
import { z } from "zod";

import type { Db, Queryable, Tx } from "#db/pool.ts";
import { awaySince } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { allLimits, queueCaps } from "#flow/queue/limit-store.ts";
import type { LimitRows } from "#flow/queue/snapshot.ts";
import { waitingEntries, type WaitingEntry } from "#flow/queue/store.ts";

import type { HostState } from "./host-state.ts";
import { hostStates } from "./hosts-read.ts";
import { neighborsOf, type Neighbors } from "./neighbors.ts";
import { readRunning, readUsed, type Running } from "./running.ts";
import { heldByWaiting, type HeldPlacement } from "./store.ts";

/** Entries that one pass looks at. */
const entriesMax = { oldest: 10_000, first: 2_000 };

export interface Digest {
  readonly waiting: number;
  readonly queue: string;
  /** Of hosts, what they hold, and the rules: limits, pools. */
  readonly capacity: string;
}

export interface View {
  readonly digest: Digest;
  readonly entries: readonly WaitingEntry[];
  readonly hosts: readonly HostState[];
  readonly held: ReadonlyMap<string, HeldPlacement>;
  readonly neighbors: Neighbors;
  readonly running: Running;
  readonly limits: LimitRows;
}

/** Undefined where `isKnown` says of the digest that there is nothing to look at. */
export function readView(
  db: Db,
  of: { readonly now: number; readonly isKnown: (digest: Digest) => boolean },
): Promise<View | undefined> {
  const { now, isKnown } = of;
  return db.transaction(
    async (tx) => {
      const digest = await readDigest(tx, now);
      return isKnown(digest) ? undefined : { digest, ...(await readAll(tx, now)) };
    },
    { isolation: "repeatable read", readOnly: true },
  );
}

/** All of it, whatever changed; one moment if the transaction is repeatable. */
export async function readAll(tx: Queryable, now: number): Promise<Omit<View, "digest">> {
  const entries = await waitingEntries(tx, entriesMax);
  const running = await readRunning(tx, now);
  return {
    entries,
    hosts: await hostStates(tx, now),
    held: await heldByWaiting(tx),
    neighbors: await neighborsOf(tx, entries),
    running,
    limits: {
      limits: await allLimits(tx),
      caps: await queueCaps(tx),
      used: await readUsed(tx, now),
      promised: running.promised,
    },
  };
}

const digestRow = z.object({ waiting: z.int(), queue: z.string(), capacity: z.string() });

/** Some 2 µs a row, where a pass costs twenty times as much. */
function readDigest(tx: Tx, at: number): Promise<Digest> {
  return tx.one(
    sql`
    select q.waiting, q.digest as queue,
      concat_ws('/', p.digest, h.digest, d.digest, i.digest, l.digest) as capacity
    from
      (select count(*)::int as waiting, concat_ws('/', count(*), bit_xor(hashtextextended(
          request_id::text, turn))) as digest
        from queue_entry where state = 'waiting') q,
      (select concat_ws('/', count(*), bit_xor(hashtextextended(concat_ws('/', instance_id, state,
          turn, host_id, milli_cpus, memory_bytes, disk_bytes, device_ids), 0))) as digest
        from placement where state <> 'none') p,
      (select bit_xor(hashtextextended(concat_ws('/', h.id, h.state, h.schedulable, h.cpus,
          h.memory_bytes, h.disk_bytes, h.huge_pages, h.labels, h.numa, h.machine_costs, h.refuses,
          ${awaySince(sql`t`, at)}, s.state), 0)) as digest
        from host h join site t on t.name = h.site
          left join pool_state s on s.id = h.pool_id) h,
      (select bit_xor(hashtextextended(d::text, 0)) as digest from gpu_device d) d,
      (select bit_xor(hashtextextended(s::text, 0)) as digest from site_image s) i,
      (select bit_xor(hashtextextended(text, 0)) as digest from (
        select l::text as text from queue_limit l union all select c::text from queue_cap c) all_limits) l`,
    digestRow,
  );
}

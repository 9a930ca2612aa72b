/**
 * Places what waits, in the order of the queue. Plans against one snapshot, which it updates with
 * its own commits; what became stale meanwhile is planned again in the next pass. The whole queue
 * is gone through, in pieces: work that fits nowhere must not keep what is behind it from its place.
 */
import { randomUUID } from "node:crypto";

import type { Db } from "#db/pool.ts";
import { headOfQueue, recordRefusal, type WaitingEntry } from "#flow/queue/store.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { place } from "./decide.ts";
import { withPlaced } from "./free.ts";
import type { HostState } from "./host-state.ts";
import { hostStates } from "./hosts-read.ts";
import { commitPlan, heldPlacement } from "./store.ts";

const entriesPerReadMax = 200;
const entriesPerPassMax = 10_000;
/** Passes in a row that start over at once; after that, the period. */
const staleInRowMax = 5;

export function placeLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  let staleInRow = 0;
  return {
    name: "place",
    periodMs: 3_000,
    channels: ["queue", "capacity"],
    pass: async (signal) => {
      let entries = await headOfQueue(db, entriesPerReadMax);
      if (entries.length === 0) return "rest";
      let hosts = await hostStates(db);
      let stale = false;
      let seen = 0;
      const failures: unknown[] = [];
      while (entries.length > 0 && seen < entriesPerPassMax) {
        for (const entry of entries) {
          if (signal.aborted) return "rest";
          try {
            // oxlint-disable-next-line no-await-in-loop -- each plan rests on the one before
            const outcome = await placeOne(entry, hosts);
            stale ||= outcome.stale;
            hosts = outcome.hosts;
          } catch (error) {
            // One entry that cannot be placed for a reason of its own does not stop the others.
            failures.push(error);
          }
        }
        seen += entries.length;
        // oxlint-disable-next-line no-await-in-loop -- page after page
        entries = await headOfQueue(db, entriesPerReadMax, entries.at(-1));
      }
      if (failures.length > 0) throw new AggregateError(failures, "some work could not be placed");
      staleInRow = stale ? staleInRow + 1 : 0;
      return stale && staleInRow < staleInRowMax ? "again" : "rest";
    },
  };

  async function placeOne(
    entry: WaitingEntry,
    hosts: HostState[],
  ): Promise<{ hosts: HostState[]; stale: boolean }> {
    const held = await heldPlacement(db, entry);
    // Asked to start while it is still stopping: its turn comes once it has given back the last.
    if (held?.state === "full") return { hosts, stale: false };
    const { tenantId, shape } = entry;
    const ask = { tenantId, shape, ...(held === undefined ? {} : { pinned: held }) };
    const answer = place(hosts, ask);
    if (!answer.placed) {
      await recordRefusal(db, entry, answer.reason, now());
      return { hosts, stale: false };
    }
    const committed = await db.transaction(async (tx) => {
      const result = await commitPlan(tx, {
        entry,
        instanceId: held?.instanceId ?? randomUUID(),
        hostId: answer.hostId,
        at: now(),
      });
      if (result.placed) await tx.nudge("provision");
      return result;
    });
    if (!committed.placed) return { hosts: await hostStates(db), stale: true };
    const { deviceIds } = committed;
    return {
      hosts: hosts.map((host) =>
        host.id === answer.hostId ? withPlaced(host, ask, deviceIds) : host,
      ),
      stale: false,
    };
  }
}

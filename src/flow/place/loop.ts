/**
 * Places the head of the queue. Plans against one snapshot, which it updates with its own
 * commits; what became stale meanwhile is planned again in the next pass.
 */
import { randomUUID } from "node:crypto";

import type { Db } from "#db/pool.ts";
import { headOfQueue, recordRefusal, type WaitingEntry } from "#flow/queue/store.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { place, type HostState } from "./decide.ts";
import { withPlaced } from "./free.ts";
import { commitPlan, heldPlacement, hostStates } from "./store.ts";

const entriesPerPassMax = 200;

export function placeLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "place",
    periodMs: 3_000,
    channels: ["queue", "capacity"],
    pass: async (signal) => {
      const waiting = await headOfQueue(db, entriesPerPassMax);
      if (waiting.length === 0) return "rest";
      let hosts = await hostStates(db);
      let again = false;
      for (const entry of waiting) {
        if (signal.aborted) return "rest";
        const outcome = await placeOne(entry, hosts);
        if (outcome.stale) again = true;
        hosts = outcome.hosts;
      }
      return again ? "again" : "rest";
    },
  };

  async function placeOne(
    entry: WaitingEntry,
    hosts: HostState[],
  ): Promise<{ hosts: HostState[]; stale: boolean }> {
    const held = await heldPlacement(db, entry);
    const { tenantId, shape } = entry;
    const ask = { tenantId, shape, ...(held === undefined ? {} : { pinnedHostId: held.hostId }) };
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
        deviceIds: answer.deviceIds,
        at: now(),
      });
      if (result === "placed") await tx.nudge("provision");
      return result;
    });
    if (committed === "stale") return { hosts: await hostStates(db), stale: true };
    return {
      hosts: hosts.map((host) =>
        host.id === answer.hostId ? withPlaced(host, ask, answer.deviceIds) : host,
      ),
      stale: false,
    };
  }
}

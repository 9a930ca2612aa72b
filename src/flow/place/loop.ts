/**
 * Places the head of the queue. Plans against one snapshot, which it updates with its own
 * commits; what became stale meanwhile is planned again in the next pass.
 */
import { randomUUID } from "node:crypto";

import type { Db } from "#db/pool.ts";
import { headOfQueue, recordRefusal, type WaitingEntry } from "#flow/queue/store.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { gibibyte, mebibyte, milliCpusOf } from "#kernel/shape.ts";

import { place, type HostState } from "./decide.ts";
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
    const answer = place(hosts, {
      tenantId,
      shape,
      ...(held === undefined ? {} : { pinnedHostId: held.hostId }),
    });
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
    return committed === "stale"
      ? { hosts: await hostStates(db), stale: true }
      : {
          hosts: hosts.map((host) => (host.id === answer.hostId ? taken(host) : host)),
          stale: false,
        };

    function taken(host: HostState): HostState {
      return {
        ...host,
        milliCpusUsed: host.milliCpusUsed + milliCpusOf(shape),
        memoryBytesUsed: host.memoryBytesUsed + shape.memoryMiB * mebibyte,
        diskBytesUsed: host.diskBytesUsed + (held === undefined ? shape.diskGiB * gibibyte : 0),
        hugePagesMiBFree:
          shape.hugePages === "none"
            ? host.hugePagesMiBFree
            : {
                ...host.hugePagesMiBFree,
                [shape.hugePages]: host.hugePagesMiBFree[shape.hugePages] - shape.memoryMiB,
              },
        devices: host.devices.map((device) =>
          answer.placed && answer.deviceIds.includes(device.id)
            ? {
                ...device,
                slice: shape.gpu?.slice ?? 1,
                claims: device.claims + 1,
                tenants: [...device.tenants, tenantId],
              }
            : device,
        ),
        antiAffineTenants: shape.antiAffinity
          ? [...host.antiAffineTenants, tenantId]
          : host.antiAffineTenants,
      };
    }
  }
}

/**
 * Gangs as wholes: reads those in which something has happened, decides (`gang.ts`) and writes what is
 * wanted of each member from now on; the sites' loops make it so. A crash at any line is followed by the
 * same decision, because a step is one transaction on rows that are locked and looked at in it.
 */
import type { Db, Tx } from "#db/pool.ts";
import { supersedeOperations } from "#flow/admit/operations.ts";
import { endRequest, setReason, setWanted } from "#flow/admit/requests.ts";
import { holdBack } from "#flow/queue/held.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { decideGang, type Gang, type GangStep } from "./gang.ts";
import { lockGang, stirredGangs, type GangKey } from "./gang-rows.ts";
import { addEvent } from "./store.ts";

const gangsPerPassMax = 200;

export function gangLoop(context: { readonly db: Db; readonly now: () => number }): LoopDefinition {
  const { db, now } = context;
  return {
    name: "gang",
    periodMs: 2_000,
    channels: ["request", "workload", "instance"],
    pass: async (signal) => {
      const gangs = await stirredGangs(db, gangsPerPassMax);
      for (const key of gangs) {
        if (signal.aborted) break;
        // oxlint-disable-next-line no-await-in-loop -- one after the other, each locks many rows
        await db.transaction((tx) => settleGang(tx, key, now()));
      }
      return "rest";
    },
  };
}

async function settleGang(tx: Tx, key: GangKey, at: number): Promise<void> {
  const gang = await lockGang(tx, key);
  if (gang === undefined) return;
  const step = decideGang(gang, at);
  if (step.do === "wait") return;
  for (const member of gang.members) {
    if (!member.ended) await settleMember(tx, { ...key, gang, step, member, at });
  }
  for (const channel of ["request", "capacity"]) tx.nudge(channel);
}

interface Settling extends GangKey {
  readonly gang: Gang;
  readonly step: Exclude<GangStep, { readonly do: "wait" }>;
  readonly member: Gang["members"][number];
  readonly at: number;
}

async function settleMember(tx: Tx, settling: Settling): Promise<void> {
  const { tenantId, step, member, at } = settling;
  const key = { tenantId, id: member.requestId };
  switch (step.do) {
    case "close":
      await endRequest(tx, { ...key, at, reason: null });
      return;
    case "end":
      if (member.wanted !== "released") {
        await setReason(tx, { ...key, reason: step.reason });
        await setWanted(tx, { ...key, wanted: "released", at });
        await supersedeOperations(tx, { tenantId, requestId: key.id, at }, ["create"]);
      }
      if (member.free) await endRequest(tx, { ...key, at, reason: null });
      return;
    case "again": {
      const { reason, heldUntil } = step;
      const { message } = reason;
      await setWanted(tx, { ...key, wanted: "running", nextTurn: true, at });
      await setReason(tx, { ...key, reason });
      await holdBack(tx, {
        tenantId,
        requestId: key.id,
        until: heldUntil,
        afterFault: reason.code !== "preempted",
      });
      await addEvent(tx, { tenantId, requestId: key.id, kind: "requeued", message, at });
      return;
    }
  }
}

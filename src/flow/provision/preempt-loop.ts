/**
 * Who must make room, and who must leave what is sick: reads committed rows, decides
 * (`queue/preempt.ts`), and writes rows of `preemption` with notice and audit; the site's loop tells the
 * guests. What must stay true: one process at a time decides; nobody is told twice; who was told for
 * nothing is told that it is off; what waits for its rest to be over comes into the line.
 */
import { z } from "zod";

import type { JobPolicy } from "#contract/schemas/job-policy.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { jobPolicy } from "#flow/admit/job-policy.ts";
import type { PlaceAsk } from "#flow/place/ask.ts";
import { hostStates } from "#flow/place/hosts-read.ts";
import { isSocial } from "#flow/place/neighbors.ts";
import { Planner } from "#flow/place/planner.ts";
import { heldPlacement, pinnedBy } from "#flow/place/store.ts";
import { chooseVictims, type Running, type Victims } from "#flow/queue/preempt.ts";
import { releaseHeld } from "#flow/queue/held.ts";
import { waitingEntries, type WaitingEntry } from "#flow/queue/store.ts";
import type { Reason } from "#kernel/reason.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { tellOfDownHosts } from "./host-down.ts";
import { interrupt } from "./interrupt.ts";
import { entriesWithVictims, runningJobs, type RunningJob } from "./preempt-rows.ts";
import { callOff, endHolds, needless } from "./preemptions.ts";
import { withoutPlaced } from "./room.ts";
import { leaveSick } from "./sick.ts";
import { addEvent } from "./store.ts";

const entriesMax = 50;
const rowsMax = 200;
const lockKey = 7_285_185;
/** What an entry waits for where other work's end would help it. */
const roomCodes: ReadonlySet<string> = new Set(["no_host_fits", "no_room", "reserved"]);

export function preemptLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "preempt",
    periodMs: 2_000,
    channels: ["queue", "capacity"],
    pass: async () => {
      await db.transaction(async (tx) => {
        await endHolds(tx);
        if ((await releaseHeld(tx, now())) > 0) tx.nudge("queue");
      });
      await db.transaction(async (tx) => {
        if (!(await alone(tx))) return;
        const policy = await jobPolicy(tx);
        await callOffNeedless(tx, now());
        await tellOfDownHosts(tx, { patienceMs: policy.hostDownSecondsMax * 1000, at: now() });
        await leaveSick(tx, { noticeSeconds: policy.noticeSeconds, at: now() });
        await makeRoom(tx, policy, now());
      });
      return "rest";
    },
  };
}

async function alone(tx: Tx): Promise<boolean> {
  const { held } = await tx.one(
    sql`select pg_try_advisory_xact_lock(${lockKey}) as held`,
    z.object({ held: z.boolean() }),
  );
  return held;
}

async function callOffNeedless(tx: Tx, at: number): Promise<void> {
  for (const open of await needless(tx, rowsMax)) {
    if (!(await callOff(tx, open))) continue;
    const message =
      "It need not make room any more; it goes on if its program was not told to end.";
    const { tenantId, requestId } = open;
    await addEvent(tx, { tenantId, requestId, kind: "preemption-called-off", message, at });
    tx.nudge("provision");
  }
}

async function makeRoom(tx: Tx, policy: JobPolicy, at: number): Promise<void> {
  if (!policy.preemption.enabled) return;
  const waiting = (await waitingEntries(tx, { oldest: entriesMax, first: entriesMax })).filter(
    waitsForRoom,
  );
  if (waiting.length === 0) return;
  const running = await runningJobs(tx);
  if (running.length === 0) return;
  const withVictims = await entriesWithVictims(tx);
  const hosts = await hostStates(tx, at);
  // What ends on a host is counted once: who else needs room there looks again afterwards.
  const busy = new Set(running.filter(({ told }) => told).flatMap(({ hostIds }) => hostIds));
  for (const entry of waiting) {
    const ask = await askOf(tx, entry);
    const planner = new Planner(hosts);
    if (ask === undefined || planner.place(ask).placed) continue;
    const fits = (hostId: string, without: readonly Running[]): boolean => {
      const ids = new Set(without.map(({ id }) => id));
      const gone = running.filter((each) => each.hostId === hostId && ids.has(each.id));
      planner.refresh(
        hosts.map((host) => (host.id === hostId ? gone.reduce(withoutPlaced, host) : host)),
      );
      return planner.place({ ...ask, only: [hostId] }).placed;
    };
    const victims = chooseVictims({
      now: at,
      waiting: {
        id: entry.requestId,
        workClass: entry.workClass,
        waitedMs: at - entry.enqueuedAt,
        hasVictims: withVictims.has(entry.requestId),
      },
      running: running.filter(({ hostIds }) => !hostIds.some((id) => busy.has(id))),
      policy: policy.preemption,
      fits,
    });
    if (victims === undefined) continue;
    for (const { id } of victims.victims) {
      for (const { hostIds } of running.filter((each) => each.id === id)) {
        for (const hostId of hostIds) busy.add(hostId);
      }
    }
    await tell(tx, { entry, victims, running, noticeMs: policy.noticeSeconds * 1000, at });
  }
}

/** It has been looked at, and room is what it lacks. Gangs and those that want company are left alone. */
function waitsForRoom(entry: WaitingEntry): boolean {
  const { refusal, gangId } = entry;
  const isSimple = gangId === null && !isSocial(entry);
  return refusal !== null && isSimple && roomCodes.has(refusal.code);
}

/** `undefined` while its last machine has not given back what it held. */
async function askOf(db: Queryable, entry: WaitingEntry): Promise<PlaceAsk | undefined> {
  const held = await heldPlacement(db, entry);
  if (held?.state === "full") return undefined;
  const { tenantId, kind, shape, afterFault } = entry;
  return { tenantId, kind, shape, afterFault, ...pinnedBy(held) };
}

async function tell(
  tx: Tx,
  told: {
    readonly entry: WaitingEntry;
    readonly victims: Victims;
    readonly running: readonly RunningJob[];
    readonly noticeMs: number;
    readonly at: number;
  },
): Promise<void> {
  const { entry, at } = told;
  const { tenantId, requestId, turn } = entry;
  for (const { id } of told.victims.victims) {
    const job = told.running.find((each) => each.id === id);
    if (job === undefined) continue;
    await interrupt(tx, job.name, {
      tenantId: job.tenantId,
      requestId: job.requestId,
      instanceId: job.instanceId,
      attempt: job.turn,
      cause: "preemption",
      for: { tenantId, requestId, turn },
      reason: reasonFor(entry),
      lostUnitMs: told.victims.lostUnitMs,
      at,
      noticeUntil: at + told.noticeMs,
    });
  }
}

/** For which class of work, and not whose. */
function reasonFor({ workClass }: WaitingEntry): Reason {
  return {
    code: "preempted",
    message: `It made room for work of class ${workClass}; what it saved is there for its next attempt.`,
  };
}

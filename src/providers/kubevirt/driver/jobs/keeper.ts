/**
 * Looks after attempts, in one process at least: makes Jobs that were to be made, writes down how runs
 * begin and end, takes away what the cluster would run a second time, and lets go of pods whose times are
 * written. What must stay true: a pod is let go of only after what it told is written; it takes no hints,
 * so that a restart, or two of it, lose and repeat nothing.
 */
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { lost } from "#providers/kubevirt/jobs/ending.ts";
import type { JobSight } from "#providers/kubevirt/jobs/observe.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ReadCall } from "#providers/provider.ts";

import type { JobHands, JobLog } from "./hands.ts";
import { isComplete, makeJob } from "./make.ts";
import { holdPods, isHome, letGo, volcanoEvictSaid } from "./pods.ts";
import { jobInCluster, finishMember, noteTold, removeJob, stopAttempt } from "./removal.ts";
import type { MemberRecord } from "./record.ts";
import { nextNote, runNoteAnnotation } from "./run-note.ts";
import { attemptSight, isMade, toldOf } from "./sight.ts";
import type { AttemptSeen } from "./view.ts";

/** What is waited for is looked at so often. */
const againMs = 1_000;
const atOnceMax = 8;
/** Whoever asked for it makes the Job himself; later somebody has to. */
const makeAfterMs = 30_000;

export class Keeper {
  readonly #hands: JobHands;
  readonly #log: JobLog;
  readonly #keeps: () => boolean;
  readonly #due = new Set<string>();
  /** To be looked at again: something was refused, or is not home yet. */
  readonly #later = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Attempts of which nothing begins any more, as this process has told the exchange. */
  readonly #over = new Set<string>();

  constructor(of: {
    readonly hands: JobHands;
    readonly log: JobLog;
    /** False where this process may not write. */
    readonly keeps: () => boolean;
  }) {
    this.#hands = of.hands;
    this.#log = of.log;
    this.#keeps = of.keeps;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { view } = this.#hands;
    const timer = setInterval(() => {
      for (const attemptId of this.#later) this.#due.add(attemptId);
      this.#later.clear();
      this.#pump(signal);
    }, againMs);
    try {
      await view.whole(signal);
      for (const attemptId of view.attemptIds()) this.#due.add(attemptId);
      this.#pump(signal);
      for await (const attemptId of view.changes(signal)) {
        this.#due.add(attemptId);
        this.#pump(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      await Promise.all(this.#busy.values());
    }
  }

  #pump(signal: AbortSignal): void {
    for (const attemptId of this.#due) {
      if (this.#busy.size >= atOnceMax || signal.aborted) return;
      if (this.#busy.has(attemptId)) continue;
      this.#due.delete(attemptId);
      const work = this.#look(attemptId, { signal }).finally(() => {
        this.#busy.delete(attemptId);
        this.#pump(signal);
      });
      this.#busy.set(attemptId, work);
    }
  }

  async #look(attemptId: string, call: ReadCall): Promise<void> {
    try {
      if ((await this.#keep(attemptId, call)) === "again") this.#later.add(attemptId);
    } catch (error) {
      if (call.signal.aborted) return;
      const err = error instanceof Error ? error.message : String(error);
      this.#log({ attemptId, err }, "a job could not be looked after; it is tried again");
      this.#later.add(attemptId);
    }
  }

  async #keep(attemptId: string, call: ReadCall): Promise<"rest" | "again"> {
    const hands = this.#hands;
    // What is old says nothing of what is gone.
    if (!this.#keeps() || hands.view.lostSince !== undefined) return "again";
    const seen = hands.view.attempt(attemptId);
    if (seen.members.length === 0) return this.#keepOrphan(call, seen);
    const isUnmade = await this.#making(call, seen);
    if (seen.members.some(({ going, run }) => going && run?.ended === undefined)) {
      if (isThere(seen)) await stopAttempt(hands, call, seen);
    } else if (await this.#jobWent(call, seen)) {
      return "again";
    }
    const isOpen = await this.#writeDown(call, attemptId);
    const after = hands.view.attempt(attemptId);
    await this.#close(after);
    const holds = await letGo(hands, call, after);
    let isGoing = false;
    for (const { machineId, going } of after.members) {
      if (!going) continue;
      // oxlint-disable-next-line no-await-in-loop -- the last one takes the Job along
      await finishMember(hands, call, machineId);
      isGoing ||= hands.view.members.get(machineId) !== undefined;
    }
    return isUnmade || isOpen || holds || isGoing ? "again" : "rest";
  }

  /** True as long as a Job is still to be made of it. */
  async #making(call: ReadCall, seen: AttemptSeen): Promise<boolean> {
    if (isMade(seen) || !isComplete(seen) || seen.members.some(({ going }) => going)) return false;
    const newest = Math.max(...seen.members.map(({ createdAt }) => createdAt));
    if (this.#hands.base.now() - newest < makeAfterMs) return true;
    await makeJob(this.#hands, call, seen);
    return false;
  }

  /** Somebody deleted it in the cluster: the cluster itself is asked before that is believed. */
  async #jobWent(call: ReadCall, seen: AttemptSeen): Promise<boolean> {
    if (!isMade(seen) || (seen.job ?? seen.volcanoJob) !== undefined) return false;
    if (toldOf(seen) !== undefined || seen.members.every(({ run }) => run?.ended !== undefined)) {
      return false;
    }
    if (seen.members.some(({ going }) => going)) return false;
    if (await jobInCluster(this.#hands, call, seen)) return true;
    await noteTold(this.#hands, call, seen, { at: this.#hands.base.now(), ending: removed });
    return true;
  }

  /** True if something of it is not over, and is to be looked at without being told. */
  async #writeDown(call: ReadCall, attemptId: string): Promise<boolean> {
    const hands = this.#hands;
    const { batch } = hands.jobs;
    const first = hands.view.attempt(attemptId);
    if (batch === "volcano") await holdPods(hands, call, first);
    const evictSaid = batch === "volcano" ? await volcanoEvictSaid(hands, call, first) : undefined;
    const of = { batch, now: hands.base.now(), ...(evictSaid === undefined ? {} : { evictSaid }) };
    const early = attemptSight(first, of);
    if (early === undefined) return false;
    // A pod's end may be told before the word of the queue that it was taken off.
    const isTold = early.taken !== undefined || !early.members.some(({ by }) => by === "order");
    if (!isTold) await hands.view.lookAtQueue(call, first);
    const seen = hands.view.attempt(attemptId);
    const sight = isTold ? early : (attemptSight(seen, of) ?? early);
    if (sight.taken !== undefined && toldOf(seen) === undefined) {
      // The cluster would let it in again within a second: nothing of it begins from here on.
      await hands.exchange.over(attemptId);
      await noteTold(hands, call, seen, sight.taken);
      await removeJob(hands, call, seen);
    }
    let isOpen = false;
    for (const { machineId } of seen.members) {
      const member = hands.view.members.get(machineId);
      if (member === undefined || member.run?.ended !== undefined) continue;
      // oxlint-disable-next-line no-await-in-loop -- one record after the other
      isOpen = (await this.#writeMember(call, { member, seen, sight })) || isOpen;
    }
    return isOpen;
  }

  async #writeMember(
    call: ReadCall,
    at: { readonly member: MemberRecord; readonly seen: AttemptSeen; readonly sight: JobSight },
  ): Promise<boolean> {
    const { member, seen, sight } = at;
    const { exchange, base } = this.#hands;
    const shown = sight.members[member.rank];
    if (shown === undefined) return false;
    const name = this.#hands.nameOf(member);
    const settled = await isHome(this.#hands, { seen, shown, name, now: base.now() });
    const logBytes = settled ? await exchange.logBytes(seen.attemptId, name) : 0;
    const evidence = sight.transitions
      .filter(({ rank }) => rank === undefined || rank === member.rank)
      .map(({ kind, object, resourceVersion }) => `${kind}: ${object}@${resourceVersion}`);
    const note = nextNote(member.run, { sight: shown, settled, logBytes, evidence });
    if (note !== undefined && note !== member.run) {
      await this.#hands.annotate(call, member, runNoteAnnotation(note));
    }
    return shown.workload.end !== undefined && !settled;
  }

  async #close({ attemptId, members }: AttemptSeen): Promise<void> {
    const isOver = members.every(({ run }) => run?.ended !== undefined);
    if (!isOver || this.#over.has(attemptId)) return;
    await this.#hands.exchange.over(attemptId);
    if (this.#over.size >= overMax) this.#over.clear();
    this.#over.add(attemptId);
  }

  /** Nobody's: its records are gone, so nobody is billed for it, and nobody else will take it away. */
  async #keepOrphan(call: ReadCall, seen: AttemptSeen): Promise<"rest" | "again"> {
    const { base, view } = this.#hands;
    if (!isThere(seen)) return "rest";
    const { settings, client } = base;
    const labels = `${ourSelector(settings.controlPlane)},${attemptLabel}=${seen.attemptId}`;
    const { items } = await client.list(call, kinds.configMap, { labels });
    for (const item of items) view.members.put(item);
    if (items.length > 0) return "again";
    await stopAttempt(this.#hands, call, seen);
    await letGo(this.#hands, call, seen);
    return "again";
  }
}

const overMax = 10_000;

const removed = lost(
  "job_gone",
  "its job was deleted in the cluster, and not by the control plane",
  "Find out who did; its next attempt is a new job.",
);

function isThere({ job, volcanoJob, pods }: AttemptSeen): boolean {
  return (
    (job ?? volcanoJob) !== undefined ||
    pods.some(({ seen }) => seen.metadata.deletionTimestamp === undefined)
  );
}

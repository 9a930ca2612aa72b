/**
 * A cluster's jobs as the driver sees them at any moment: the records of members, Jobs, their pods and
 * what the queue says, each kept by one watch. A queue that is not installed is looked for now and then,
 * and keeps nobody waiting: machines go on, and jobs are refused with the reason.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { z } from "zod";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { Listeners } from "#providers/kubevirt/driver/listeners.ts";
import { Mirror } from "#providers/kubevirt/driver/mirror.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import {
  read,
  type SeenJob,
  type SeenPod,
  type SeenPodGroup,
  type SeenVolcanoJob,
  type SeenWorkload,
} from "#providers/kubevirt/jobs/seen.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { ReadCall } from "#providers/provider.ts";

import { AttemptIndex } from "./attempt-index.ts";
import { Presence } from "./presence.ts";
import { machineIdIn, memberRecord, type MemberRecord } from "./record.ts";

export interface KeptPod {
  readonly attemptId: string;
  readonly seen: SeenPod;
  readonly finalizers: readonly string[];
}

/** All that is known of one attempt, its members by rank. */
export interface AttemptSeen {
  readonly attemptId: string;
  readonly members: readonly MemberRecord[];
  readonly pods: readonly KeptPod[];
  readonly job: SeenJob | undefined;
  readonly workload: SeenWorkload | undefined;
  readonly volcanoJob: SeenVolcanoJob | undefined;
  readonly podGroup: SeenPodGroup | undefined;
}

export interface JobsViewOptions {
  readonly client: KubeClient;
  readonly controlPlaneId: string;
  readonly batch: "kueue" | "volcano";
  readonly now: () => number;
  readonly onLost: (what: string, error: unknown) => void;
  /** A machine may have changed. */
  readonly changed: (machineId: string) => void;
}

export class JobsView {
  readonly members: Mirror<MemberRecord>;
  readonly pods: Mirror<KeptPod>;
  readonly jobs: Mirror<SeenJob>;
  readonly volcanoJobs: Mirror<SeenVolcanoJob>;
  readonly #workloads: Mirror<SeenWorkload>;
  readonly #podGroups: Mirror<SeenPodGroup>;
  readonly #options: JobsViewOptions;
  readonly #attempts = new Listeners();
  /** Machine ids and pods' keys by attempt. */
  readonly #machinesOf = new AttemptIndex();
  readonly #podsOf = new AttemptIndex();
  /** The uid of an attempt's Job. */
  readonly #uids = new AttemptIndex();
  readonly #presence: Presence;

  constructor(options: JobsViewOptions) {
    this.#options = options;
    const { client, controlPlaneId, now, onLost } = options;
    const selection = { labels: `${ourSelector(controlPlaneId)},${attemptLabel}` };
    const common = (what: string) => ({
      client,
      now,
      selection,
      onLost: (error: unknown) => onLost(what, error),
    });
    this.members = new Mirror({
      ...common("members of jobs"),
      kind: kinds.configMap,
      keyOf: machineIdIn,
      distill: memberRecord,
      onChange: (machineId) => this.#memberChanged(machineId),
    });
    this.pods = new Mirror({
      ...common("pods of jobs"),
      kind: kinds.pod,
      keyOf: podKey,
      distill: keptPod,
      onChange: (key) => this.#podChanged(key),
    });
    this.jobs = new Mirror({
      ...common("jobs"),
      kind: kinds.job,
      keyOf: attemptOf,
      distill: read.job,
      onChange: (attemptId) => this.#jobChanged(attemptId),
    });
    this.volcanoJobs = new Mirror({
      ...common("jobs"),
      kind: jobKinds.volcanoJob,
      keyOf: attemptOf,
      distill: read.volcanoJob,
      onChange: (attemptId) => this.#jobChanged(attemptId),
    });
    // The queue's own objects bear none of our labels: they are found by the Job that owns them.
    const ofQueue = (what: string) => ({
      ...common(what),
      selection: {},
      keyOf: ownerUid,
      onChange: (uid: string) => this.#ownedChanged(uid),
    });
    this.#workloads = new Mirror({
      ...ofQueue("workloads"),
      kind: kinds.workload,
      distill: read.workload,
    });
    this.#podGroups = new Mirror({
      ...ofQueue("pod groups"),
      kind: jobKinds.podGroup,
      distill: read.podGroup,
    });
    this.#presence = new Presence({
      client,
      kinds: this.#queueMirrors().map(({ kind }) => kind),
      onLost,
    });
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.#always().map((mirror) => mirror.follow(signal)),
      this.#presence.once(signal, async () => {
        await Promise.all(this.#queueMirrors().map((mirror) => mirror.follow(signal)));
      }),
    ]);
  }

  /** Which of the queue's kinds the cluster does not serve; jobs are refused then. */
  get missing(): string | undefined {
    return this.#presence.missing;
  }

  /** The same, of the cluster's own word now: before anybody is told of it. */
  missingNow(signal: AbortSignal): Promise<string | undefined> {
    return this.#presence.look(signal);
  }

  /** Resolves once all that there is was seen, or the signal aborts. */
  async whole(signal: AbortSignal): Promise<void> {
    const mirrors = this.#always();
    if (mirrors.every(({ isWhole }) => isWhole) && this.#queueIsKnown()) return;
    const seen = Promise.all(mirrors.map((mirror) => mirror.whole()));
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([seen, aborted]);
    while (!signal.aborted && !this.#queueIsKnown()) {
      // oxlint-disable-next-line no-await-in-loop -- for a moment after the start
      await sleep(20, undefined, { signal }).catch(() => undefined);
    }
    signal.throwIfAborted();
  }

  #queueIsKnown(): boolean {
    if (this.#presence.missing !== undefined) return true;
    return this.#queueMirrors().every(({ isWhole }) => isWhole);
  }

  get lostSince(): number | undefined {
    const queue = this.#presence.missing === undefined ? this.#queueMirrors() : [];
    const since = [...this.#always(), ...queue].flatMap(({ lostSince }) => lostSince ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Up to when all members are known to have been there; epoch milliseconds. */
  get knownUntil(): number | undefined {
    return this.members.knownUntil;
  }

  /** Ids of attempts that may have changed. */
  changes(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    return this.#attempts.listen(signal);
  }

  attemptIds(): ReadonlySet<string> {
    return new Set([...this.#machinesOf.keys(), ...this.#podsOf.keys()]);
  }

  attempt(attemptId: string): AttemptSeen {
    const members = this.#machinesOf.of(attemptId).flatMap((id) => this.members.get(id) ?? []);
    const job = this.jobs.get(attemptId);
    const volcanoJob = this.volcanoJobs.get(attemptId);
    const uid = (job ?? volcanoJob)?.metadata.uid ?? "";
    return {
      attemptId,
      members: members.toSorted((a, b) => a.rank - b.rank),
      pods: this.#podsOf.of(attemptId).flatMap((key) => this.pods.get(key) ?? []),
      job,
      volcanoJob,
      workload: this.#workloads.get(uid),
      podGroup: this.#podGroups.get(uid),
    };
  }

  /** Past the watch. */
  async lookAtQueue({ signal }: ReadCall, { job }: AttemptSeen): Promise<void> {
    const { client, batch } = this.#options;
    if (batch !== "kueue" || job === undefined || this.#presence.missing !== undefined) return;
    const { namespace, uid } = job.metadata;
    const labels = `kueue.x-k8s.io/job-uid=${uid}`;
    const { items } = await client.list({ signal }, kinds.workload, { namespace, labels });
    for (const item of items) this.#workloads.put(item);
  }

  #memberChanged(machineId: string): void {
    const attemptId = this.members.get(machineId)?.attemptId ?? this.#machinesOf.keyOf(machineId);
    this.#machinesOf.put(machineId, this.members.get(machineId)?.attemptId);
    this.#options.changed(machineId);
    if (attemptId !== undefined) this.#tell(attemptId);
  }

  #podChanged(key: string): void {
    const attemptId = this.pods.get(key)?.attemptId ?? this.#podsOf.keyOf(key);
    this.#podsOf.put(key, this.pods.get(key)?.attemptId);
    if (attemptId !== undefined) this.#tell(attemptId);
  }

  #jobChanged(attemptId: string): void {
    const uid = (this.jobs.get(attemptId) ?? this.volcanoJobs.get(attemptId))?.metadata.uid;
    this.#uids.put(attemptId, uid);
    this.#tell(attemptId);
  }

  #ownedChanged(uid: string): void {
    for (const attemptId of this.#uids.of(uid)) this.#tell(attemptId);
  }

  /** Its members' machines may have changed, and its keeper looks at it. */
  #tell(attemptId: string): void {
    for (const machineId of this.#machinesOf.of(attemptId)) this.#options.changed(machineId);
    this.#attempts.tell(attemptId);
  }

  #always(): readonly Mirror<unknown>[] {
    return this.#options.batch === "kueue"
      ? [this.members, this.pods, this.jobs]
      : [this.members, this.pods];
  }

  #queueMirrors(): readonly Mirror<unknown>[] {
    return this.#options.batch === "kueue"
      ? [this.#workloads]
      : [this.volcanoJobs, this.#podGroups];
  }
}

function attemptOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.[attemptLabel];
}

function podKey({ metadata }: KubeObject): string | undefined {
  const attemptId = metadata.labels?.[attemptLabel];
  return attemptId === undefined ? undefined : `${metadata.namespace}/${metadata.name}`;
}

const podRest = z.object({ metadata: z.object({ finalizers: z.array(z.string()).default([]) }) });

function keptPod(object: KubeObject): KeptPod {
  const seen = read.pod(object);
  return {
    attemptId: seen.metadata.labels[attemptLabel] ?? "",
    seen,
    finalizers: podRest.parse(object).metadata.finalizers,
  };
}

/** Of what a Job owns; others' jobs are passed over by whoever looks for his own. */
function ownerUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ kind }) => kind === "Job")?.uid;
}

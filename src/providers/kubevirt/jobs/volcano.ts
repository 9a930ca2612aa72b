/**
 * The same attempt as a Job of Volcano, which schedules by itself: for sites that share cards by HAMi,
 * or whose operator has Volcano already. It has no time limit and no idea of a queue that only borrows;
 * the pod's deadline stands for the one, a queue that is reclaimable and deserves nothing for the other.
 */
import type { VolcanoJob, VolcanoQueue } from "#providers/kubevirt/objects/jobs.ts";
import type { Amounts } from "#providers/kubevirt/objects/meta.ts";

import { indexedNumbering, type Numbering } from "./environment.ts";
import { maxExecutionSeconds } from "./kueue.ts";
import type { JobAsk, JobPlace, JobSite } from "./model.ts";
import { jobLabels, jobName, membersAnnotation, podClass, tenantQueue } from "./names.ts";
import { memberPod } from "./pod.ts";
import { printAmount, queueLabels, type Shares, type TenantShare } from "./queues.ts";

const keepSeconds = 7 * 24 * 3600;
/** Volcano reads 0 as its default of 3. Nothing of ours restarts a job, so nothing counts to it. */
const maxRetry = 1;
const masterPort = 29_500;

/** The tenant's two queues, the one that only borrows second. */
export function volcanoQueues(
  site: JobSite,
  share: TenantShare,
): readonly [VolcanoQueue, VolcanoQueue] {
  const metadata = (preemptible: boolean) => ({
    name: tenantQueue(share.tenantId, preemptible),
    labels: queueLabels(site, share),
  });
  const kind = { apiVersion: "scheduling.volcano.sh/v1beta1", kind: "Queue" } as const;
  const own = amounts(share.own);
  return [
    {
      ...kind,
      metadata: metadata(false),
      spec: { weight: 1, reclaimable: false, capability: own, deserved: own },
    },
    {
      ...kind,
      metadata: metadata(true),
      spec: { weight: 1, reclaimable: true, capability: amounts(share.borrow), deserved: {} },
    },
  ];
}

/** Volcano's queues know no flavors: CPU of all kinds of machines is one amount. */
function amounts(shares: Shares): Amounts {
  const total = new Map<string, bigint>();
  for (const flavor of shares.values()) {
    for (const [name, amount] of flavor) total.set(name, (total.get(name) ?? 0n) + amount);
  }
  return Object.fromEntries(
    [...total]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, amount]) => [name, printAmount(name, amount)]),
  );
}

export function volcanoJob(ask: JobAsk, place: JobPlace): VolcanoJob {
  const members = ask.memberIds.length;
  const { namespace, site } = place;
  const name = jobName(ask.attemptId);
  const byPlugin = isByPlugin(ask);
  const task = (taskName: string, replicas: number) => ({
    name: taskName,
    replicas,
    minAvailable: replicas,
    template: memberPod({
      ask,
      place,
      numbering: numbering(ask),
      annotations: { "volcano.sh/preemptable": String(ask.preemptible) },
      schedulerName: "volcano",
      activeDeadlineSeconds: maxExecutionSeconds(ask),
    }),
  });
  return {
    apiVersion: "batch.volcano.sh/v1alpha1",
    kind: "Job",
    metadata: {
      name,
      namespace,
      labels: jobLabels(site, ask),
      annotations: { [membersAnnotation]: ask.memberIds.join(",") },
    },
    spec: {
      schedulerName: "volcano",
      queue: tenantQueue(ask.owner.tenantId, ask.preemptible),
      priorityClassName: podClass(site, ask.tier),
      minAvailable: members,
      minSuccess: members,
      maxRetry,
      ttlSecondsAfterFinished: keepSeconds,
      // A member that is lost, or fails, ends all: the control plane makes the next attempt.
      policies: [{ events: ["PodEvicted", "PodFailed"], action: "TerminateJob" }],
      plugins: {
        env: [],
        // The tenant's own network policies say who may talk to whom.
        svc: ["--publish-not-ready-addresses", "--disable-network-policy"],
        ...(byPlugin
          ? { pytorch: ["--master=master", "--worker=worker", `--port=${masterPort}`] }
          : {}),
      },
      tasks: byPlugin
        ? [task("master", 1), task("worker", members - 1)]
        : [task("member", members)],
    },
  };
}

type Numbered = Pick<JobAsk, "attemptId" | "framework" | "memberIds">;

function isByPlugin({ framework, memberIds }: Numbered): boolean {
  return framework === "pytorch" && memberIds.length > 1;
}

/** The plug-in of PyTorch numbers over two tasks, the first being the master; else one task does it. */
function numbering(ask: Numbered): Numbering {
  const name = jobName(ask.attemptId);
  return isByPlugin(ask)
    ? { hostOf: (rank) => (rank === 0 ? `${name}-master-0` : `${name}-worker-${rank - 1}`) }
    : {
        rankField: "metadata.annotations['volcano.sh/task-index']",
        hostOf: (rank) => `${name}-member-${rank}`,
      };
}

/** What a member's pod calls itself to the control plane: see pod.ts. */
export function memberName(ask: Numbered, { batch }: Pick<JobSite, "batch">, rank: number): string {
  return batch === "volcano" && isByPlugin(ask) ? numbering(ask).hostOf(rank) : String(rank);
}

/** Under which the others reach a member, in the cluster's DNS. */
export function memberHost(ask: Numbered, { batch }: Pick<JobSite, "batch">, rank: number): string {
  const { hostOf } = batch === "volcano" ? numbering(ask) : indexedNumbering(ask);
  return `${hostOf(rank)}.${jobName(ask.attemptId)}`;
}

/** Which member a pod is, by what Volcano writes on it. */
export function volcanoRank(task: string | undefined, index: number): number {
  return task === "worker" ? index + 1 : index;
}

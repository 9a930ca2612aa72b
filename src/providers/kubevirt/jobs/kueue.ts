/**
 * An attempt as a plain `batch/v1` Job that Kueue admits. What must stay true: it is *created*, never
 * applied again, because Kueue writes `suspend` and the node selector into it, and whoever applied our
 * text once more would suspend a running job. All members run or none: Kueue admits the whole job, and
 * `waitForPodsReady` in its configuration takes back what did not come up together.
 */
import type { BatchJob } from "#providers/kubevirt/objects/jobs.ts";

import { indexedNumbering } from "./environment.ts";
import { flavorOf, type JobAsk, type JobPlace } from "./model.ts";
import { jobLabels, jobName, localQueueName, membersAnnotation, tierClass } from "./names.ts";
import { mainContainer, memberPod } from "./pod.ts";

/** Pulling the image and bringing the inputs counts for Kueue, and not for the customer. */
export const startSeconds = 1800;
/** Long enough for us to come back and look; what is looked at is deleted by us. */
const keepSeconds = 7 * 24 * 3600;

export function kueueJob(ask: JobAsk, place: JobPlace): BatchJob {
  const members = ask.memberIds.length;
  const { namespace, site } = place;
  // A flavor without the topology takes no job that speaks of it, ever.
  const isPacked = members > 1 && ask.membersHow === "pack";
  const isPlaced = isPacked && flavorOf(site, ask.gpu)?.topology !== undefined;
  const within = isPlaced ? site.topology?.packWithin : undefined;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobName(ask.attemptId),
      namespace,
      labels: {
        ...jobLabels(site, ask),
        "kueue.x-k8s.io/queue-name": localQueueName(ask.preemptible),
        "kueue.x-k8s.io/priority-class": tierClass(site, ask.tier),
        "kueue.x-k8s.io/max-exec-time-seconds": String(maxExecutionSeconds(ask)),
      },
      annotations: { [membersAnnotation]: ask.memberIds.join(",") },
    },
    spec: {
      suspend: true,
      completionMode: "Indexed",
      parallelism: members,
      completions: members,
      // One attempt, one run. Whether there is another, and who pays, is the control plane's to say.
      backoffLimit: 0,
      // A pod that is being ended is not replaced, and not counted, before it has ended.
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          // First, so that the Job itself says that it was the platform; ignoring would run it again.
          { action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          {
            action: "FailJob",
            onExitCodes: { containerName: mainContainer, operator: "NotIn", values: [0] },
          },
        ],
      },
      ttlSecondsAfterFinished: keepSeconds,
      template: memberPod({
        ask,
        place,
        numbering: indexedNumbering(ask),
        ...(within === undefined
          ? {}
          : { annotations: { "kueue.x-k8s.io/podset-preferred-topology": within } }),
      }),
    },
  };
}

/**
 * The second wall: the pod keeps the program's own limit. It counts from the admission, so it leaves
 * time for the start, for saving and for sending.
 */
export function maxExecutionSeconds({ timeLimitSeconds, graceSeconds }: JobAsk): number {
  return Math.ceil(timeLimitSeconds) + startSeconds + graceSeconds;
}

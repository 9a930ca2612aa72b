/** The Job controller: pods with completion indexes, suspended and let go, failed by the first that fails. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, objectAt, textAt, textsAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";

import type { Controllers } from "./controllers.ts";
import {
  byController,
  hasCondition,
  ownerName,
  ownerOf,
  setStatus,
  withConditions,
} from "./writing.ts";

const indexKey = "batch.kubernetes.io/job-completion-index";

export function runJobs(controllers: Controllers): void {
  const { objects } = controllers;
  controllers.concerns.add((kind, pod) => {
    const name = kind === kinds.pod ? ownerName(pod, "Job") : undefined;
    if (name !== undefined)
      controllers.look(kinds.job, { namespace: pod.metadata.namespace, name });
  });

  const say = (job: Document, type: string, more: object): void => {
    const conditions = withConditions(job, [{ type, status: "True", ...more }], objects.now());
    setStatus(objects, kinds.job, job.metadata, { conditions });
  };

  controllers.on(kinds.job, (job) => {
    if (job.metadata.deletionTimestamp !== undefined) return;
    if (hasCondition(job, "Failed") || hasCondition(job, "Complete")) return;
    const pods = objects.store
      .all(kinds.pod)
      .filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid));
    if (at(job, "spec", "suspend") === true) return pods.forEach(endPod);
    const mine = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    // One that is being ended has not failed before it has ended: podReplacementPolicy is Failed.
    const lost = pods.find((pod) => hasCondition(pod, "DisruptionTarget") && isOver(pod));
    const failed = lost ?? mine.find((pod) => textAt(pod, "status", "phase") === "Failed");
    if (failed !== undefined) return fail(job, failed, pods);
    const size = Number(at(job, "spec", "completions"));
    const done = mine.filter((pod) => textAt(pod, "status", "phase") === "Succeeded");
    if (done.length === size) return say(job, "Complete", { reason: "CompletionsReached" });
    // A pod that is being ended is not replaced before it has ended.
    const there = new Set(
      pods
        .filter((pod) => mine.includes(pod) || !isOver(pod))
        .map((pod) => pod.metadata.annotations?.[indexKey]),
    );
    for (let index = 0; index < size; index += 1) {
      if (!there.has(String(index))) makePod(job, index);
    }
  });

  const fail = (job: Document, failed: Document, pods: readonly Document[]): void => {
    const rule = hasCondition(failed, "DisruptionTarget")
      ? "Pod has condition DisruptionTarget matching FailJob rule at index 0"
      : "Container main failed with an exit code matching FailJob rule at index 1";
    const why = { reason: "PodFailurePolicy", message: rule };
    if (!hasCondition(job, "FailureTarget")) say(job, "FailureTarget", why);
    for (const pod of pods) if (!isOver(pod)) endPod(pod);
    const now = objects.store.get(kinds.job, job.metadata);
    if (pods.every(isOver) && now !== undefined) say(now, "Failed", why);
  };

  const endPod = (pod: Document): void => {
    if (pod.metadata.deletionTimestamp !== undefined || isOver(pod)) return;
    remove(objects, kinds.pod, pod.metadata, { propagation: "Background" });
  };

  const makePod = (job: Document, index: number): void => {
    const template = objectAt(job, "spec", "template");
    const { namespace, name } = job.metadata;
    const spec = { ...objectAt(template, "spec"), hostname: `${name}-${index}` };
    const metadata = {
      generateName: `${name}-${index}-`,
      labels: { ...textsAt(template, "metadata", "labels"), [indexKey]: String(index) },
      annotations: { ...textsAt(template, "metadata", "annotations"), [indexKey]: String(index) },
      finalizers: listAt(template, "metadata", "finalizers"),
      ownerReferences: [ownerOf(job)],
    };
    objects.create(kinds.pod, namespace, { metadata, spec }, byController);
  };
}

export function isOver(pod: Document): boolean {
  return ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase"));
}

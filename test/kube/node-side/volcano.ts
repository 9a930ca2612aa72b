/** Volcano as far as a test needs it: pods of a Job's tasks all together, its phases, and evictions told by an event. */
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, objectAt, textAt, textsAt } from "#test/kube/api/json.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { remove } from "#test/kube/api/removal.ts";

import type { Controllers } from "./controllers.ts";
import { isOver } from "./jobs.ts";
import { byController, ownerName, ownerOf, setStatus } from "./writing.ts";

/** Longer than whoever made it takes to its first job. */
const openMs = 500;

export interface Volcano {
  /** Takes a pod away for other work, and says so in an event. */
  evict(pod: Document, message: string): void;
}

export function runVolcano(controllers: Controllers): Volcano {
  const { objects } = controllers;
  const { store } = objects;
  controllers.concerns.add((kind, pod) => {
    const name = kind === kinds.pod ? ownerName(pod, "Job") : undefined;
    const { namespace } = pod.metadata;
    if (name !== undefined) controllers.look(jobKinds.volcanoJob, { namespace, name });
  });

  // A queue is opened a moment after it was made, and takes no job before.
  const made = new Set<string>();
  controllers.on(jobKinds.volcanoQueue, (queue) => {
    const { uid } = queue.metadata;
    if (textAt(queue, "status", "state") !== "") return;
    if (made.has(uid)) {
      setStatus(objects, jobKinds.volcanoQueue, queue.metadata, { state: "Open" });
    } else {
      made.add(uid);
      controllers.lookAfter(openMs, jobKinds.volcanoQueue, queue.metadata);
    }
  });
  objects.admissions.add((kind, { before, after }) => {
    if (kind !== jobKinds.volcanoJob || before !== undefined) return;
    const name = textAt(after, "spec", "queue");
    const state = textAt(store.get(jobKinds.volcanoQueue, { name }), "status", "state");
    if (state === "Open") return;
    const why = `can only submit job to queue with state \`Open\`, queue \`${name}\` status is \`${state}\``;
    throw forbidden(kind, after.metadata.name, why);
  });

  const enter = (job: Document, phase: string, reason = ""): void => {
    if (textAt(job, "status", "state", "phase") === phase) return;
    const state = { phase, reason, message: reason, lastTransitionTime: objects.now() };
    setStatus(objects, jobKinds.volcanoJob, job.metadata, { state });
  };

  controllers.on(jobKinds.volcanoJob, (job) => {
    if (job.metadata.deletionTimestamp !== undefined) return;
    const phase = textAt(job, "status", "state", "phase");
    const pods = store
      .all(kinds.pod)
      .filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid));
    switch (phase) {
      case "":
        makeGroup(job);
        return enter(job, "Pending");
      case "Pending":
        for (const task of listAt(job, "spec", "tasks")) makePods(job, task);
        return enter(job, "Running");
      case "Running": {
        const size = Number(at(job, "spec", "minAvailable"));
        const failed = pods.some((pod) => textAt(pod, "status", "phase") === "Failed");
        if (failed || pods.length < size || pods.some(isLeaving)) {
          pods.forEach(endPod);
          return enter(job, "Terminating", failed ? "PodFailed" : "PodEvicted");
        }
        if (pods.every((pod) => textAt(pod, "status", "phase") === "Succeeded")) {
          enter(job, "Completed");
        }
        return;
      }
      case "Terminating":
        if (pods.every(isOver)) enter(job, "Terminated", "TerminateJob");
        return;
      default:
    }
  });

  const endPod = (pod: Document): void => {
    if (isLeaving(pod) || isOver(pod)) return;
    remove(objects, kinds.pod, pod.metadata, { propagation: "Background" });
  };

  const makeGroup = (job: Document): void => {
    const { namespace, name, uid } = job.metadata;
    const metadata = { name: `${name}-${uid}`, ownerReferences: [ownerOf(job)] };
    const spec = { minMember: at(job, "spec", "minAvailable"), queue: at(job, "spec", "queue") };
    const group = objects.create(jobKinds.podGroup, namespace, { metadata, spec }, byController);
    const place = group.document.metadata;
    setStatus(objects, jobKinds.podGroup, place, { phase: "Running" });
  };

  const makePods = (job: Document, task: unknown): void => {
    const template = objectAt(task, "template");
    const { namespace, name } = job.metadata;
    const taskName = textAt(task, "name");
    for (let index = 0; index < Number(at(task, "replicas")); index += 1) {
      // It hands no finalizers on.
      const metadata = {
        name: `${name}-${taskName}-${index}`,
        labels: textsAt(template, "metadata", "labels"),
        annotations: {
          ...textsAt(template, "metadata", "annotations"),
          "volcano.sh/task-index": String(index),
          "volcano.sh/task-spec": taskName,
        },
        ownerReferences: [ownerOf(job)],
      };
      if (store.get(kinds.pod, { namespace, name: metadata.name }) !== undefined) continue;
      const spec = objectAt(template, "spec");
      objects.create(kinds.pod, namespace, { metadata, spec }, byController);
    }
  };

  return {
    evict(pod, message) {
      const { namespace, name, uid } = pod.metadata;
      const involvedObject = { kind: "Pod", namespace, name, uid };
      const metadata = { generateName: `${name}-` };
      const event = { metadata, reason: "Evict", message, type: "Normal", involvedObject };
      objects.create(kinds.event, namespace, event, byController);
      remove(objects, kinds.pod, pod.metadata, { propagation: "Background" });
    },
  };
}

function isLeaving({ metadata }: Document): boolean {
  return metadata.deletionTimestamp !== undefined;
}

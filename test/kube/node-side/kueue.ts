/**
 * Kueue as far as one cohort needs it: a Workload for each Job with a queue, admitted whole when its
 * flavor's quota is there, its own or borrowed; what is borrowed is taken back by whoever owns it.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { parseMilli, parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, objectAt, textAt, textsAt } from "#test/kube/api/json.ts";
import type { Place } from "#test/kube/api/objects.ts";

import type { Controllers } from "./controllers.ts";
import { holdInUse, inUseFinalizer, letGoOfWorkload } from "./kueue-in-use.ts";
import { isBarred, mayPushOut, priorityOf } from "./kueue-rules.ts";
import { requestsOf } from "./nodes.ts";
import {
  byController,
  type Condition,
  hasCondition,
  ownerName,
  ownerOf,
  setStatus,
  withConditions,
} from "./writing.ts";

export interface Kueue {
  /** As by its controller, for a reason that a test gives. */
  evict(workload: Document, why: { readonly reason: string; readonly cause?: string }): void;
}

type Use = ReadonlyMap<string, bigint>;

interface Needed {
  readonly flavor: string;
  readonly resource: string;
  readonly many: bigint;
}

export function runKueue(controllers: Controllers): Kueue {
  const { objects } = controllers;
  const { store } = objects;

  holdInUse(controllers, (queue) =>
    store
      .all(kinds.workload)
      .filter((each) => isReserved(each) && queueOf(each)?.metadata.uid === queue.metadata.uid),
  );

  controllers.concerns.add((kind, document) => {
    const { namespace } = document.metadata;
    if (kind === kinds.workload) {
      const name = ownerName(document, "Job");
      if (name !== undefined) controllers.look(kinds.job, { namespace, name });
    }
    // Whatever changes may make room for somebody who waits.
    if (kind === kinds.workload || kind === kinds.clusterQueue || kind === kinds.job) {
      if (kind === kinds.job) makeWorkload(document);
      for (const each of store.all(kinds.workload)) {
        if (!isReserved(each)) controllers.look(kinds.workload, each.metadata);
      }
      controllers.look(kinds.workload, placeOf(document));
    }
  });

  const makeWorkload = (job: Document): void => {
    const queueName = job.metadata.labels?.["kueue.x-k8s.io/queue-name"];
    const now = store.get(kinds.job, job.metadata);
    if (queueName === undefined || now === undefined) return;
    if (store.get(kinds.workload, placeOf(job)) !== undefined) return;
    const metadata = {
      name: placeOf(job).name,
      labels: { "kueue.x-k8s.io/job-uid": job.metadata.uid },
      ownerReferences: [ownerOf(job)],
      finalizers: [inUseFinalizer],
    };
    const template = objectAt(job, "spec", "template");
    const podSets = [{ name: "main", count: at(job, "spec", "parallelism"), template }];
    objects.create(
      kinds.workload,
      job.metadata.namespace,
      { metadata, spec: { active: true, queueName, podSets } },
      byController,
    );
  };

  controllers.on(kinds.workload, (workload) => {
    letGoOfWorkload(controllers, workload);
    const { namespace, deletionTimestamp } = workload.metadata;
    if (deletionTimestamp !== undefined) return;
    const job = store.get(kinds.job, { namespace, name: ownerName(workload, "Job") ?? "" });
    if (job === undefined || hasCondition(workload, "Finished")) return;
    if (hasCondition(job, "Complete") || hasCondition(job, "Failed")) {
      return say(workload, [{ type: "Finished", status: "True", reason: "JobFinished" }]);
    }
    const suspended = at(job, "spec", "suspend") === true;
    if (hasCondition(workload, "Admitted")) {
      if (suspended)
        objects.patch(kinds.job, job.metadata, { spec: { suspend: false } }, byController);
      return;
    }
    if (!suspended) {
      objects.patch(kinds.job, job.metadata, { spec: { suspend: true } }, byController);
      return;
    }
    admit(workload);
  });

  const admit = (workload: Document): void => {
    const queue = queueOf(workload);
    const waits = (message: string): void =>
      say(workload, [{ type: "QuotaReserved", status: "False", reason: "Pending", message }]);
    if (queue === undefined || queue.metadata.deletionTimestamp !== undefined) {
      const what =
        queue === undefined
          ? `LocalQueue ${textAt(workload, "spec", "queueName")}`
          : `ClusterQueue ${queue.metadata.name}`;
      const message = `${what} is terminating or missing`;
      return say(workload, [
        { type: "QuotaReserved", status: "False", reason: "Misconfigured", message },
      ]);
    }
    const flavor = flavorOf(workload);
    if (isBarred(store, workload, flavor)) {
      return waits(
        `couldn't assign flavors to pod set main: Flavor "${flavor}" does not support TopologyAwareScheduling`,
      );
    }
    const short = [...useOf(workload)].flatMap(([resource, asked]) => {
      const { nominal, most, used, free } = quotaOf(queue, flavor, resource);
      if (asked > most) {
        return `insufficient quota for ${resource} in flavor ${flavor}, request > maximum capacity (${most})`;
      }
      const left = most - used < free ? most - used : free;
      if (asked <= left) return [];
      const needed = { flavor, resource, many: asked - left };
      if (used + asked <= nominal) reclaim(queue, needed);
      else if (mayPushOut(queue)) pushOut(workload, queue, needed);
      return `insufficient unused quota for ${resource} in flavor ${flavor}, ${asked - left} more needed`;
    });
    if (short.length > 0) {
      return waits(`couldn't assign flavors to pod set main: ${short.join(", ")}`);
    }
    say(workload, [
      { type: "QuotaReserved", status: "True", reason: "QuotaReserved" },
      { type: "Admitted", status: "True", reason: "Admitted" },
      ...(hasCondition(workload, "Evicted")
        ? ([
            { type: "Evicted", status: "False", reason: "QuotaReserved" },
            { type: "Preempted", status: "False", reason: "QuotaReserved" },
          ] as const)
        : []),
    ]);
  };

  /** Of others who are above what is theirs. */
  const reclaim = (queue: Document, { flavor, resource, many }: Needed): void => {
    let left = many;
    for (const other of store.all(kinds.workload)) {
      const theirs = queueOf(other);
      if (left <= 0n || theirs === undefined || theirs.metadata.uid === queue.metadata.uid)
        continue;
      if (!isReserved(other) || flavorOf(other) !== flavor) continue;
      const { nominal, used } = quotaOf(theirs, flavor, resource);
      if (used <= nominal) continue;
      left -= useOf(other).get(resource) ?? 0n;
      evict(other, { reason: "Preempted", cause: "InCohortReclamation" });
    }
  };

  /** Of the same queue, and of a lower class. */
  const pushOut = (workload: Document, queue: Document, needed: Needed): void => {
    const { flavor, resource, many } = needed;
    let left = many;
    for (const other of store.all(kinds.workload)) {
      if (left <= 0n || queueOf(other)?.metadata.uid !== queue.metadata.uid) continue;
      if (!isReserved(other) || flavorOf(other) !== flavor) continue;
      if (priorityOf(store, other) >= priorityOf(store, workload)) continue;
      left -= useOf(other).get(resource) ?? 0n;
      evict(other, { reason: "Preempted", cause: "InClusterQueue" });
    }
  };

  const evict: Kueue["evict"] = (workload, { reason, cause }) => {
    const message = "it was taken off";
    const known = listAt(workload, "status", "schedulingStats", "evictions");
    const evictions = [...known, { reason, underlyingCause: cause ?? "", count: 1 }];
    const detail: readonly Condition[] =
      cause === undefined ? [] : [{ type: "Preempted", status: "True", reason: cause, message }];
    say(
      workload,
      [
        { type: "Evicted", status: "True", reason, message },
        ...detail,
        { type: "QuotaReserved", status: "False", reason: "Pending", message },
        { type: "Admitted", status: "False", reason: "NoReservation", message },
      ],
      { schedulingStats: { evictions } },
    );
  };

  const say = (workload: Document, conditions: readonly Condition[], more: object = {}): void => {
    const now = store.get(kinds.workload, workload.metadata);
    if (now === undefined) return;
    const all = withConditions(now, conditions, objects.now());
    setStatus(objects, kinds.workload, workload.metadata, { ...more, conditions: all });
  };

  const queueOf = (workload: Document): Document | undefined => {
    const { namespace } = workload.metadata;
    const name = textAt(workload, "spec", "queueName");
    const door = store.get(kinds.localQueue, { namespace, name });
    const clusterQueue = textAt(door, "spec", "clusterQueue");
    return store.get(kinds.clusterQueue, { name: clusterQueue });
  };

  /** The one whose labels its pods ask for. */
  const flavorOf = (workload: Document): string => {
    const [set] = listAt(workload, "spec", "podSets");
    const wanted = textsAt(set, "template", "spec", "nodeSelector");
    const found = store.all(kinds.resourceFlavor).find((flavor) => {
      const labels = Object.entries(textsAt(flavor, "spec", "nodeLabels"));
      return labels.every(([key, value]) => wanted[key] === value);
    });
    return found?.metadata.name ?? "";
  };

  const quotaOf = (queue: Document, flavor: string, resource: string) => {
    const said = quotaSaid(queue, flavor, resource);
    const nominal = amount(resource, textAt(said, "nominalQuota"));
    const limit = textAt(said, "borrowingLimit");
    const all = [...store.all(kinds.clusterQueue), ...store.all(kinds.cohort)];
    const whole = all.reduce(
      (sum, each) =>
        sum + amount(resource, textAt(quotaSaid(each, flavor, resource), "nominalQuota")),
      0n,
    );
    let used = 0n;
    let usedByAll = 0n;
    for (const each of store.all(kinds.workload)) {
      if (!isReserved(each) || flavorOf(each) !== flavor) continue;
      const many = useOf(each).get(resource) ?? 0n;
      usedByAll += many;
      if (queueOf(each)?.metadata.uid === queue.metadata.uid) used += many;
    }
    const most = nominal + (limit === "" ? whole : amount(resource, limit));
    return { nominal, most: most < whole ? most : whole, used, free: whole - usedByAll };
  };

  return { evict };
}

function quotaSaid(queue: Document, flavor: string, resource: string): unknown {
  return listAt(queue, "spec", "resourceGroups")
    .flatMap((group) => listAt(group, "flavors"))
    .filter((each) => textAt(each, "name") === flavor)
    .flatMap((each) => listAt(each, "resources"))
    .find((each) => textAt(each, "name") === resource);
}

function amount(resource: string, text: string): bigint {
  return (resource === "cpu" ? parseMilli(text) : parseUnits(text)) ?? 0n;
}

/** Holds quota: admitted, and neither over nor taken off. */
function isReserved(workload: Document): boolean {
  return hasCondition(workload, "QuotaReserved") && !hasCondition(workload, "Finished");
}

function placeOf({ metadata }: Document): Place {
  return { namespace: metadata.namespace, name: `job-${metadata.name}` };
}

function useOf(workload: Document): Use {
  const [set] = listAt(workload, "spec", "podSets");
  const count = BigInt(Number(at(set, "count") ?? 1));
  const pod = { ...workload, spec: objectAt(set, "template", "spec") };
  return new Map([...requestsOf(pod)].map(([key, many]) => [key, many * count]));
}

/**
 * Kueue's finalizer on what others rest on: a flavor stays while a queue names it, a topology while a
 * flavor does, a queue while work holds quota in it, and the word on a job as long as the job is there.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";

import type { Controllers } from "./controllers.ts";
import { byController, hasCondition, ownerName } from "./writing.ts";

export const inUseFinalizer = "kueue.x-k8s.io/resource-in-use";

export function holdInUse(
  controllers: Controllers,
  /** Those that hold quota in a queue. */
  reservedIn: (queue: Document) => readonly Document[],
): void {
  const { objects } = controllers;
  const { store } = objects;
  const isUsed = new Map<Kind, (document: Document) => boolean>([
    [kinds.clusterQueue, (queue) => reservedIn(queue).length > 0],
    [kinds.resourceFlavor, ({ metadata }) => store.all(kinds.clusterQueue).some(names(metadata))],
    [
      jobKinds.topology,
      ({ metadata: { name } }) =>
        store
          .all(kinds.resourceFlavor)
          .some((each) => textAt(each, "spec", "topologyName") === name),
    ],
  ]);

  const look = (kind: Kind, { metadata }: Document): void => {
    const now = store.get(kind, metadata);
    if (now === undefined) return;
    const { finalizers = [], deletionTimestamp } = now.metadata;
    const isHeld = finalizers.includes(inUseFinalizer);
    const isWanted = deletionTimestamp === undefined || isUsed.get(kind)?.(now) === true;
    // What goes takes no new finalizer.
    if (isHeld === isWanted || (deletionTimestamp !== undefined && !isHeld)) return;
    const left = finalizers.filter((each) => each !== inUseFinalizer);
    const change = { metadata: { finalizers: isWanted ? [...left, inUseFinalizer] : left } };
    objects.patch(kind, metadata, change, byController);
  };

  const rests = [kinds.clusterQueue, kinds.resourceFlavor, jobKinds.topology, kinds.workload];
  controllers.concerns.add((changed) => {
    if (!rests.includes(changed)) return;
    for (const kind of isUsed.keys()) {
      for (const each of store.all(kind)) controllers.look(kind, each.metadata);
    }
  });
  for (const kind of isUsed.keys()) controllers.on(kind, (document) => look(kind, document));
}

/** Its word is needed no longer once its job is over, or goes. */
export function letGoOfWorkload({ objects }: Controllers, workload: Document): void {
  const { namespace, finalizers = [], deletionTimestamp } = workload.metadata;
  if (deletionTimestamp === undefined || !finalizers.includes(inUseFinalizer)) return;
  const job = objects.store.get(kinds.job, { namespace, name: ownerName(workload, "Job") ?? "" });
  const isOver = job === undefined || job.metadata.deletionTimestamp !== undefined;
  if (!isOver && !hasCondition(workload, "Finished")) return;
  const left = finalizers.filter((each) => each !== inUseFinalizer);
  objects.patch(
    kinds.workload,
    workload.metadata,
    { metadata: { finalizers: left } },
    byController,
  );
}

function names({ name }: Document["metadata"]): (queue: Document) => boolean {
  return (queue) =>
    listAt(queue, "spec", "resourceGroups")
      .flatMap((group) => listAt(group, "flavors"))
      .some((flavor) => textAt(flavor, "name") === name);
}

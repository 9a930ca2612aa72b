/** The scheduler and the kubelets: a pod gets a node or a reason, runs at once, and ends when deleted. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { type Document, keyOf } from "#test/kube/api/document.ts";
import { listAt, objectAt, textAt } from "#test/kube/api/json.ts";
import type { Place } from "#test/kube/api/objects.ts";
import { remove } from "#test/kube/api/removal.ts";

import type { Controllers } from "./controllers.ts";
import type { JobPods } from "./job-pods.ts";
import type { Nodes } from "./nodes.ts";
import { setStatus, withConditions } from "./writing.ts";

/** The node that a pod must not be placed on: the source of a migration. */
export const avoidAnnotation = "test.millrace.dev/not-on";

/** `unpulled`: why images cannot be fetched; `undefined` if they can. */
export function runPods(
  controllers: Controllers,
  nodes: Nodes,
  unpulled: () => string | undefined,
  jobPods: JobPods,
): void {
  const { objects } = controllers;
  const waiting = new Map<string, Place>();
  let addresses = 0;

  const place = (pod: Document): void => {
    const { namespace, name, annotations } = pod.metadata;
    const found = nodes.place(pod, annotations?.[avoidAnnotation]);
    const now = objects.now();
    if ("because" in found) {
      waiting.set(keyOf(pod.metadata), { namespace, name });
      const message = found.because;
      const unplaced = {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message,
      } as const;
      const conditions = withConditions(pod, [unplaced], now);
      setStatus(objects, kinds.pod, pod.metadata, { phase: "Pending", conditions });
      return;
    }
    const bound = objects.store.put(kinds.pod, {
      ...pod,
      spec: { ...objectAt(pod, "spec"), nodeName: found.node },
    });
    if (jobPods.takes(bound)) schedule(bound);
    else run(bound);
  };

  /** Its own kubelet begins it. */
  const schedule = (pod: Document): void => {
    const placed = [{ type: "PodScheduled", status: "True" }] as const;
    const conditions = withConditions(pod, placed, objects.now());
    setStatus(objects, kinds.pod, pod.metadata, { phase: "Pending", conditions });
  };

  /** On its node. */
  const run = (pod: Document): void => {
    const now = objects.now();
    const because = unpulled();
    if (because !== undefined) {
      if (listAt(pod, "status", "containerStatuses").length > 0) return;
      const held = { reason: "ImagePullBackOff", message: because };
      const placed = [{ type: "PodScheduled", status: "True" }] as const;
      setStatus(objects, kinds.pod, pod.metadata, {
        phase: "Pending",
        containerStatuses: [{ name: "compute", state: { waiting: held } }],
        conditions: withConditions(pod, placed, now),
      });
      return;
    }
    addresses += 1;
    const ready = [
      { type: "PodScheduled", status: "True" },
      { type: "Ready", status: "True" },
    ] as const;
    setStatus(objects, kinds.pod, pod.metadata, {
      phase: "Running",
      startTime: now,
      podIP: `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`,
      containerStatuses: null,
      conditions: withConditions(pod, ready, now),
    });
  };

  controllers.on(kinds.pod, (pod) => {
    const node = textAt(pod, "spec", "nodeName");
    if (pod.metadata.deletionTimestamp !== undefined) {
      // A kubelet that is silent ends nothing: the pod stays as it is.
      if (node !== "" && !nodes.isReady(node)) return;
      if (node !== "" && jobPods.takes(pod)) jobPods.see(pod);
      else end(pod);
    } else if (node === "") {
      place(pod);
    } else if (jobPods.takes(pod)) {
      jobPods.see(pod);
    } else if (textAt(pod, "status", "phase") === "Pending") {
      run(pod);
    }
  });

  const end = (pod: Document): void => {
    remove(objects, kinds.pod, pod.metadata, { propagation: "Background", graceSeconds: 0 });
  };

  objects.store.listen(({ kind, before, after }) => {
    if (kind === kinds.pod && after === undefined && before !== undefined) {
      nodes.release(before.metadata.uid);
      waiting.delete(keyOf(before.metadata));
    }
    const room = (kind === kinds.pod && after === undefined) || kind === kinds.node;
    if (!room) return;
    const again = [...waiting.values()];
    waiting.clear();
    for (const each of again) controllers.look(kinds.pod, each);
    if (kind !== kinds.node || after === undefined) return;
    for (const pod of objects.store.all(kinds.pod)) {
      const { deletionTimestamp } = pod.metadata;
      const here = textAt(pod, "spec", "nodeName") === after.metadata.name;
      if (here && deletionTimestamp !== undefined) controllers.look(kinds.pod, pod.metadata);
    }
  });
}

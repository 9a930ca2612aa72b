/**
 * virt-controller and virt-handler for VirtualMachineInstances: a pod of the size that KubeVirt would
 * ask for, and phases with the time of each, as the pod and the guest go.
 */
import { podSize, printSizes } from "#providers/kubevirt/compile/pod-size.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { InstanceBody } from "#providers/kubevirt/objects/machine.ts";
import { isFinal } from "#test/kube/api/actions.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, objectAt, textAt } from "#test/kube/api/json.ts";
import { Refusal } from "#test/kube/api/refusal.ts";
import { remove } from "#test/kube/api/removal.ts";
import { isObject } from "#test/kube/schema-node.ts";

import type { Controllers } from "./controllers.ts";
import type { Nodes } from "./nodes.ts";
import {
  byController,
  type Condition,
  ownerName,
  ownerOf,
  setStatus,
  withConditions,
} from "./writing.ts";

const rules = { cpuAllocationRatio: 1, overheadPercent: 100, quotaOnLimits: false };

/** The name of the pod that an instance runs in, by the instance's uid. */
export type Launchers = Map<string, string>;

export interface InstancesOf {
  readonly nodes: Nodes;
  readonly launchers: Launchers;
  readonly bootMs: number;
}

export function runInstances(controllers: Controllers, of: InstancesOf): void {
  const { objects } = controllers;
  const { nodes, launchers, bootMs } = of;
  controllers.concerns.add((kind, pod) => {
    if (kind !== kinds.pod) return;
    const name = ownerName(pod, "VirtualMachineInstance");
    const { namespace } = pod.metadata;
    if (name !== undefined) controllers.look(kinds.machineInstance, { namespace, name });
  });

  /** By uid: when those whose guests are booting are done with it. */
  const bootsUntil = new Map<string, number>();

  controllers.on(kinds.machineInstance, (instance) => {
    const pod = podOf(instance);
    if (instance.metadata.deletionTimestamp !== undefined) return end(instance, pod);
    if (isFinal(instance)) return;
    const phase = textAt(instance, "status", "phase");
    if (phase === "") return enter(instance, "Pending");
    if (phase === "Pending") return begin(instance, pod);
    if (pod === undefined) return enter(instance, "Failed");
    const node = textAt(pod, "spec", "nodeName");
    if (phase === "Scheduling") return placed(instance, pod, node);
    if (phase !== "Scheduled" || (pod.metadata.deletionTimestamp ?? "") !== "") return;
    const { uid } = instance.metadata;
    const until = bootsUntil.get(uid) ?? performance.now() + bootMs;
    const leftMs = until - performance.now();
    if (leftMs <= 0) return running(instance, pod, node);
    bootsUntil.set(uid, until);
    controllers.lookAfter(leftMs, kinds.machineInstance, instance.metadata);
  });

  const podOf = (instance: Document): Document | undefined => {
    const name = launchers.get(instance.metadata.uid) ?? "";
    return objects.store.get(kinds.pod, { namespace: instance.metadata.namespace, name });
  };

  const enter = (instance: Document, phase: string, more: object = {}): void => {
    const times = listAt(instance, "status", "phaseTransitionTimestamps");
    const now = objects.now();
    const entered = { phase, phaseTransitionTimestamp: now };
    setStatus(objects, kinds.machineInstance, instance.metadata, {
      ...more,
      phase,
      phaseTransitionTimestamps: [...times, entered],
    });
  };

  const say = (instance: Document, conditions: readonly Condition[]): void => {
    const all = withConditions(instance, conditions, objects.now());
    setStatus(objects, kinds.machineInstance, instance.metadata, { conditions: all });
  };

  const begin = (instance: Document, pod: Document | undefined): void => {
    const because = unpermitted(instance, nodes);
    const failed = (message: string): void =>
      say(instance, [{ type: "Synchronized", status: "False", reason: "FailedCreate", message }]);
    if (because !== undefined) return failed(because);
    try {
      if (pod === undefined) launchers.set(instance.metadata.uid, makePod(instance));
      enter(instance, "Scheduling");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed(error.message);
      controllers.lookAfter(1000, kinds.machineInstance, instance.metadata);
    }
  };

  const makePod = (instance: Document): string =>
    objects.create(kinds.pod, instance.metadata.namespace, launcherOf(instance, {}), byController)
      .document.metadata.name;

  const placed = (instance: Document, pod: Document, node: string): void => {
    const unplaced = listAt(pod, "status", "conditions").find(
      (each) => textAt(each, "type") === "PodScheduled" && textAt(each, "status") === "False",
    );
    const runs = textAt(pod, "status", "phase") === "Running";
    if (node !== "") return runs ? enter(instance, "Scheduled", { nodeName: node }) : undefined;
    if (unplaced === undefined) return;
    const message = textAt(unplaced, "message");
    say(instance, [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }]);
  };

  const running = (instance: Document, pod: Document, node: string): void => {
    const movable = hasGpus(instance)
      ? ({ status: "False", reason: "HostDeviceNotLiveMigratable" } as const)
      : ({ status: "True" } as const);
    const conditions = withConditions(
      instance,
      [
        { type: "Ready", status: "True" },
        { type: "PodScheduled", status: "True" },
        { type: "LiveMigratable", ...movable },
      ],
      objects.now(),
    );
    enter(instance, "Running", {
      conditions,
      activePods: { [pod.metadata.uid]: node },
      interfaces: [{ name: "default", ipAddress: textAt(pod, "status", "podIP") }],
    });
  };

  /** Its pod first; when that is gone the instance has ended, and nothing holds it. */
  const end = (instance: Document, pod: Document | undefined): void => {
    if (pod !== undefined) {
      if (pod.metadata.deletionTimestamp === undefined) {
        remove(objects, kinds.pod, pod.metadata, { propagation: "Background" });
      }
      return;
    }
    if (!isFinal(instance)) enter(instance, "Succeeded");
    const place = instance.metadata;
    objects.patch(kinds.machineInstance, place, { metadata: { finalizers: null } }, byController);
  };
}

/** A virt-launcher pod for an instance. */
export function launcherOf(instance: Document, annotations: Readonly<Record<string, string>>) {
  const { name, labels = {}, uid } = instance.metadata;
  const spec = at(instance, "spec");
  const sized = isInstanceBody(spec) ? podSize({ spec }, rules) : undefined;
  const requests = sized === undefined ? {} : printSizes(sized.total.requests);
  const limits = sized === undefined ? {} : printSizes(sized.total.limits);
  const own = {
    "kubevirt.io": "virt-launcher",
    "kubevirt.io/created-by": uid,
    "vm.kubevirt.io/name": name,
  };
  return {
    metadata: {
      generateName: `virt-launcher-${name}-`,
      labels: { ...labels, ...own },
      annotations,
      ownerReferences: [ownerOf(instance)],
    },
    spec: {
      containers: [{ name: "compute", image: "virt-launcher", resources: { requests, limits } }],
      nodeSelector: { "kubevirt.io/schedulable": "true", ...objectAt(spec, "nodeSelector") },
      affinity: objectAt(spec, "affinity"),
      restartPolicy: "Never",
    },
  };
}

export function hasGpus(instance: Document): boolean {
  return listAt(instance, "spec", "domain", "devices", "gpus").length > 0;
}

/** In the words of virt-controller. */
function unpermitted(instance: Document, nodes: Nodes): string | undefined {
  for (const gpu of listAt(instance, "spec", "domain", "devices", "gpus")) {
    const name = textAt(gpu, "deviceName");
    if (name !== "" && !nodes.offers(name)) {
      return `failed to render launch manifest: GPU ${name} is not permitted in permittedHostDevices configuration`;
    }
  }
  return undefined;
}

/** What the webhooks let in has this form. */
function isInstanceBody(spec: unknown): spec is InstanceBody {
  return isObject(at(spec, "domain", "devices"));
}

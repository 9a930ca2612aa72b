/**
 * virt-controller for VirtualMachines: an instance is made or ended as the run strategy and the requests
 * of virt-api say, and the machine's status says what became of it.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { isFinal, isPaused } from "#test/kube/api/actions.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, equal, listAt, objectAt, textAt, textsAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";
import { isObject } from "#test/kube/schema-node.ts";

import type { Controllers } from "./controllers.ts";
import { plugMemory } from "./plug.ts";
import {
  byController,
  hasCondition,
  ownerName,
  ownerOf,
  setStatus,
  withConditions,
} from "./writing.ts";

const instanceFinalizer = "foregroundDeleteVirtualMachine";

export function runMachines(controllers: Controllers): void {
  const { objects } = controllers;
  controllers.concerns.add((kind, { metadata, ...document }) => {
    const { namespace } = metadata;
    if (kind === kinds.machineInstance) {
      controllers.look(kinds.machine, { namespace, name: metadata.name });
    } else if (kind === kinds.dataVolume) {
      const owner = ownerName({ ...document, metadata }, "VirtualMachine");
      if (owner !== undefined) controllers.look(kinds.machine, { namespace, name: owner });
    }
  });

  controllers.on(kinds.machine, (machine) => {
    const { metadata } = machine;
    if (metadata.deletionTimestamp !== undefined) {
      // Its run ends with it, also while somebody's finalizer holds it.
      const run = objects.store.get(kinds.machineInstance, metadata);
      if (run === undefined || run.metadata.deletionTimestamp !== undefined) return;
      remove(objects, kinds.machineInstance, metadata, { propagation: "Background" });
      return;
    }
    const disks = makeVolumes(machine);
    const instance = objects.store.get(kinds.machineInstance, metadata);
    const requests = listAt(machine, "status", "stateChangeRequests");
    const decided = decide(machine, instance, requests);
    const failure = startFailure(machine, instance, objects.now());
    const rests = decided === "start" && restsMs(failure, objects.now()) > 0;
    if (rests) controllers.lookAfter(restLookMs, kinds.machine, metadata);
    const next = rests ? "nothing" : decided;
    if (next === "start" && disks === "ready") makeInstance(machine);
    if ((next === "end" || next === "renew") && instance !== undefined) {
      remove(objects, kinds.machineInstance, metadata, { propagation: "Background" });
    }
    const waits = next === "start" && disks !== "ready";
    const done = next === "drop" || (next === "start" && !waits);
    const left = done ? requests.slice(1) : requests;
    report(machine, {
      disks,
      waits: waits || rests,
      requests: next === "renew" ? [{ action: "Start" }] : left,
      failure,
    });
  });

  /** The volumes of its templates; they are its own. */
  const makeVolumes = (machine: Document): "ready" | "filling" | "failed" => {
    const { namespace } = machine.metadata;
    let state: "ready" | "filling" | "failed" = "ready";
    for (const template of listAt(machine, "spec", "dataVolumeTemplates")) {
      const name = textAt(template, "metadata", "name");
      const known = objects.store.get(kinds.dataVolume, { namespace, name });
      const phase = textAt(known, "status", "phase");
      if (phase === "Failed") state = "failed";
      else if (phase !== "Succeeded" && state === "ready") state = "filling";
      if (known !== undefined) continue;
      const labels = textsAt(template, "metadata", "labels");
      const head = { name, labels, ownerReferences: [ownerOf(machine)] };
      const volume = { metadata: head, spec: objectAt(template, "spec") };
      objects.create(kinds.dataVolume, namespace, volume, byController);
    }
    return state;
  };

  const makeInstance = (machine: Document): void => {
    const { namespace, name } = machine.metadata;
    const template = objectAt(machine, "spec", "template");
    const metadata = {
      name,
      labels: textsAt(template, "metadata", "labels"),
      annotations: textsAt(template, "metadata", "annotations"),
      ownerReferences: [ownerOf(machine)],
      finalizers: [instanceFinalizer],
    };
    const input = { metadata, spec: objectAt(template, "spec") };
    objects.create(kinds.machineInstance, namespace, input, byController);
  };

  const report = (
    machine: Document,
    of: {
      disks: string;
      waits: boolean;
      requests: readonly unknown[];
      failure: Failure | undefined;
    },
  ): void => {
    const { disks, waits, requests, failure } = of;
    const { metadata } = machine;
    plugMemory(objects, machine);
    const instance = objects.store.get(kinds.machineInstance, metadata);
    const ready = readiness(instance).status === "True";
    const changed =
      instance !== undefined &&
      !equal(at(machine, "spec", "template", "spec"), at(instance, "spec")) &&
      !isFinal(instance);
    const conditions = withConditions(
      machine,
      [
        { type: "Ready", ...readiness(instance) },
        ...(changed || hasCondition(machine, "RestartRequired")
          ? [{ type: "RestartRequired", status: changed ? "True" : "False" } as const]
          : []),
      ],
      objects.now(),
    );
    setStatus(objects, kinds.machine, metadata, {
      created: instance !== undefined,
      ready,
      printableStatus: printable(instance, { disks, fails: failure !== undefined }),
      startFailure: failure ?? null,
      // Noted once it was acted upon: until then the machine is still to be started.
      ...(waits ? {} : { runStrategy: textAt(machine, "spec", "runStrategy") }),
      conditions,
      stateChangeRequests: requests.length === 0 ? null : requests,
      observedGeneration: metadata.generation,
    });
  };
}

/** `drop`: the request at hand has come true. `renew`: it is to end, and to start again. */
function decide(
  machine: Document,
  instance: Document | undefined,
  requests: readonly unknown[],
): "start" | "end" | "renew" | "drop" | "nothing" {
  const strategy = textAt(machine, "spec", "runStrategy");
  const [request] = requests;
  const asked = textAt(request, "action");
  if (asked === "Stop") {
    const same = instance?.metadata.uid === textAt(request, "uid");
    return same ? endOf(instance) : "drop";
  }
  if (instance === undefined) {
    if (asked === "Start") return "start";
    if (strategy === "Always") return "start";
    // Coming from another strategy it starts; one that was ended stays off.
    const known = textAt(machine, "status", "runStrategy");
    const begins = strategy === "RerunOnFailure" || strategy === "Once";
    return begins && known !== strategy ? "start" : "nothing";
  }
  if (strategy === "Halted") return endOf(instance);
  if (!isFinal(instance)) return asked === "Start" ? "drop" : "nothing";
  const failed = textAt(instance, "status", "phase") === "Failed";
  const again = strategy === "Always" || (strategy === "RerunOnFailure" && failed);
  // Also of a guest that shut itself down, whose machine stays off, KubeVirt takes the run away at once.
  if (asked === "Start" || (strategy === "RerunOnFailure" && !failed)) return endOf(instance);
  return again && endOf(instance) === "end" ? "renew" : "nothing";
}

/** With the reasons that KubeVirt writes: the time of the condition is that of the last of them. */
function readiness(instance: Document | undefined) {
  if (instance === undefined) return { status: "False", reason: "VMINotExists" } as const;
  if (instance.metadata.deletionTimestamp !== undefined) {
    return { status: "False", reason: "PodTerminating" } as const;
  }
  if (textAt(instance, "status", "phase") !== "Running") {
    return { status: "False", reason: "GuestNotRunning" } as const;
  }
  // The pod of a guest that is paused is not ready, and KubeVirt takes that over.
  if (isPaused(instance)) return { status: "False", reason: "ReadinessGatesNotReady" } as const;
  return { status: "True" } as const;
}

function endOf(instance: Document | undefined): "end" | "nothing" {
  return instance?.metadata.deletionTimestamp === undefined ? "end" : "nothing";
}

/** Of runs in a row that failed before they were running: the next one waits ever longer. */
interface Failure {
  readonly consecutiveFailCount: number;
  readonly lastFailedVMIUID: string;
  readonly retryAfterTimestamp: string;
}

const firstRestMs = 10_000;
const restMaxMs = 300_000;
/** The rest is by the cluster's clock, which a test may set forward. */
const restLookMs = 100;

function startFailure(
  machine: Document,
  instance: Document | undefined,
  now: string,
): Failure | undefined {
  const known = at(machine, "status", "startFailure");
  const before: Failure | undefined = isObject(known)
    ? {
        consecutiveFailCount: Number(known["consecutiveFailCount"]),
        lastFailedVMIUID: textAt(known, "lastFailedVMIUID"),
        retryAfterTimestamp: textAt(known, "retryAfterTimestamp"),
      }
    : undefined;
  if (textAt(machine, "spec", "runStrategy") === "Halted" || hasRun(instance)) return undefined;
  if (instance === undefined || !isFinal(instance)) return before;
  const { uid } = instance.metadata;
  if (before?.lastFailedVMIUID === uid) return before;
  const count = (before?.consecutiveFailCount ?? 0) + 1;
  const restMs = Math.min(restMaxMs, firstRestMs * count ** 2);
  const retryAfterTimestamp = new Date(Date.parse(now) + restMs).toISOString();
  return { consecutiveFailCount: count, lastFailedVMIUID: uid, retryAfterTimestamp };
}

function hasRun(instance: Document | undefined): boolean {
  const entered = listAt(instance, "status", "phaseTransitionTimestamps");
  return entered.some((each) => textAt(each, "phase") === "Running");
}

function restsMs(failure: Failure | undefined, now: string): number {
  if (failure === undefined) return 0;
  return Date.parse(failure.retryAfterTimestamp) - Date.parse(now);
}

function printable(
  instance: Document | undefined,
  { disks, fails }: { readonly disks: string; readonly fails: boolean },
): string {
  if (instance === undefined) {
    if (disks === "failed") return "DataVolumeError";
    if (disks !== "ready") return "Provisioning";
    return fails ? "CrashLoopBackOff" : "Stopped";
  }
  if (instance.metadata.deletionTimestamp !== undefined) return "Stopping";
  const phase = textAt(instance, "status", "phase");
  if (phase === "Succeeded" || phase === "Failed") return "Stopped";
  if (phase !== "Running") {
    const unplaced = listAt(instance, "status", "conditions").some(
      (each) => textAt(each, "reason") === "Unschedulable",
    );
    return unplaced ? "ErrorUnschedulable" : "Starting";
  }
  if (isPaused(instance)) return "Paused";
  const moving =
    at(instance, "status", "migrationState") !== undefined &&
    at(instance, "status", "migrationState", "completed") !== true;
  return moving ? "Migrating" : "Running";
}

/**
 * One machine as a customer may read it, from all that the cluster says of it: what state it is in, why
 * it is not running yet and what to do, and what else he should know while it runs. "Starting" is not
 * an answer here.
 */
import { explainDataVolume } from "./data-volume.ts";
import type { Explanation } from "./explanation.ts";
import { notesOf } from "./notes.ts";
import { explainPod } from "./pod.ts";
import { explainUnschedulable } from "./scheduler.ts";
import {
  conditionOf,
  isTrue,
  type SeenDataVolume,
  type SeenInstance,
  type SeenMachine,
  type SeenPod,
} from "./seen.ts";
import { staysOff } from "./starts.ts";
import { explainFailure } from "./synchronized.ts";

export type MachineState =
  | "absent"
  /** Its disks are being made. */
  | "preparing"
  /** Something must happen first, which `reason` says. */
  | "waiting"
  | "starting"
  | "running"
  | "paused"
  | "stopping"
  | "stopped"
  | "failed"
  | "deleting"
  /** Its node has not been heard of: it may run, or not. */
  | "unknown";

export interface SeenTogether {
  readonly machine: SeenMachine | undefined;
  readonly instance: SeenInstance | undefined;
  /** Those that belong to it; several while it moves. */
  readonly pods: readonly SeenPod[];
  readonly dataVolumes: readonly SeenDataVolume[];
}

export interface MachineCondition {
  readonly state: MachineState;
  /** Why it is not running although it should; absent if nothing is in its way. */
  readonly reason?: Explanation;
  /** What to know besides. */
  readonly notes: readonly Explanation[];
}

export function machineCondition(seen: SeenTogether, now: number): MachineCondition {
  const notes = notesOf(seen);
  const { machine, instance } = seen;
  if (machine === undefined && instance === undefined) return { state: "absent", notes };
  if (machine?.metadata.deletionTimestamp !== undefined) {
    return withReason("deleting", stuckEnd(seen, now), notes);
  }
  if (instance === undefined) return { ...withoutInstance(seen, now), notes };
  if (instance.metadata.deletionTimestamp !== undefined) {
    return withReason("stopping", stuckEnd(seen, now), notes);
  }
  return { ...ofInstance(instance, seen, now), notes };
}

type Found = Omit<MachineCondition, "notes">;

function withReason(
  state: MachineState,
  reason: Explanation | undefined,
  notes: readonly Explanation[],
): MachineCondition {
  return reason === undefined ? { state, notes } : { state, reason, notes };
}

function withoutInstance({ machine, dataVolumes }: SeenTogether, now: number): Found {
  if (machine === undefined || machine.spec.runStrategy === "Halted") return { state: "stopped" };
  const failure = conditionOf(machine, "Failure");
  if (failure?.status === "True") {
    return { state: "waiting", reason: explainFailure(failure.message ?? failure.reason ?? "") };
  }
  const disk = diskHangs(dataVolumes, now);
  if (disk !== undefined) return disk;
  // It ended by itself or by hand, and stays so until it is started again, also after a crash loop.
  if (staysOff(machine)) return { state: "stopped" };
  switch (machine.status?.printableStatus ?? "") {
    case "Stopped":
      return { state: "stopped" };
    case "CrashLoopBackOff":
      return { state: "failed", reason: crashLoop(machine) };
    default:
      return { state: "preparing" };
  }
}

function ofInstance(instance: SeenInstance, seen: SeenTogether, now: number): Found {
  switch (instance.status?.phase ?? "") {
    case "Running":
      return { state: isTrue(instance, "Paused") ? "paused" : "running" };
    case "Succeeded":
      return { state: "stopped" };
    case "Failed":
      return { state: "failed", reason: crash(instance) };
    case "Unknown":
      return { state: "unknown", reason: nodeLost(instance) };
    default:
      return beforeRunning(instance, seen, now);
  }
}

/** The nearest obstacle first: KubeVirt's own, the scheduler's, the disks', the pod's. */
function beforeRunning(
  instance: SeenInstance,
  { pods, dataVolumes }: SeenTogether,
  now: number,
): Found {
  const synchronized = conditionOf(instance, "Synchronized");
  if (synchronized?.status === "False") {
    return { state: "waiting", reason: explainFailure(synchronized.message ?? "") };
  }
  const scheduled =
    conditionOf(instance, "PodScheduled") ??
    pods.map((pod) => conditionOf(pod, "PodScheduled")).find((each) => each?.status === "False");
  if (scheduled?.status === "False") {
    return { state: "waiting", reason: explainUnschedulable(scheduled.message ?? "") };
  }
  const disk = diskHangs(dataVolumes, now);
  if (disk !== undefined) return disk;
  const pod = pods.map(explainPod).find((each) => each !== undefined);
  return pod === undefined ? { state: "starting" } : { state: "waiting", reason: pod };
}

function diskHangs(dataVolumes: readonly SeenDataVolume[], now: number): Found | undefined {
  const reason = dataVolumes
    .map((each) => explainDataVolume(each, now))
    .find((each) => each !== undefined);
  if (reason === undefined) return undefined;
  return { state: reason.for === "nobody" ? "preparing" : "waiting", reason };
}

function crash(instance: SeenInstance): Explanation {
  const said = conditionOf(instance, "Ready")?.message ?? instance.status?.reason ?? "";
  return {
    code: "crashed",
    for: "nobody",
    message: `The machine ended without being told to${said === "" ? "" : `: ${said}`}.`,
    action: "It is started again by itself.",
    details: { said },
  };
}

function crashLoop(machine: SeenMachine): Explanation {
  const count = machine.status?.startFailure?.consecutiveFailCount ?? 0;
  const again = machine.status?.startFailure?.retryAfterTimestamp ?? undefined;
  return {
    code: "crash_loop",
    for: "customer",
    message:
      count === 1
        ? "The machine ended as soon as it was started."
        : `The machine ended ${count} times one after the other as soon as it was started.`,
    action:
      "Look at its serial console: its disk or what it starts with is broken. It is tried again later by itself.",
    details: { count, ...(again === undefined ? {} : { again: new Date(again).toISOString() }) },
  };
}

function nodeLost(instance: SeenInstance): Explanation {
  const node = instance.status?.nodeName ?? "its node";
  return {
    code: "node_lost",
    for: "operator",
    message: `Nothing is heard of ${node}, where the machine ran: whether it still runs is not known.`,
    action: `Bring ${node} back, or make sure that it is off and take it out of service: only then can the machine start elsewhere without running twice.`,
    details: { node },
  };
}

/** Longer than any guest is given to shut down. */
const endingMaxMs = 10 * 60_000;

/** A machine that is to end and does not: nearly always its node is gone. */
function stuckEnd({ machine, instance }: SeenTogether, now: number): Explanation | undefined {
  const since = instance?.metadata.deletionTimestamp ?? machine?.metadata.deletionTimestamp;
  if (since === undefined || now - since < endingMaxMs) return undefined;
  const node = instance?.status?.nodeName;
  return {
    code: "end_stuck",
    for: "operator",
    message: `The machine was told to end ${Math.floor((now - since) / 60_000)} minutes ago and has not${node === undefined ? "" : `; it is on ${node}`}.`,
    action:
      node === undefined
        ? "Look at what holds it: its finalizers, and KubeVirt's controller."
        : `If ${node} does not answer, make sure that it is off, and take it out of service (taint node.kubernetes.io/out-of-service).`,
    details: {
      sinceMinutes: Math.floor((now - since) / 60_000),
      ...(node === undefined ? {} : { node }),
    },
  };
}

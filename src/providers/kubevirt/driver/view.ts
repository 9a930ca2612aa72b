/** A machine of the cluster as the contract shows it. Pure. */
import { conditionOf, isTrue } from "#providers/kubevirt/observe/seen.ts";
import type { MachineCondition, MachineState } from "#providers/kubevirt/observe/condition.ts";
import type { Endpoint, Machine } from "#providers/machine.ts";

import { bytesOf, pinnedKey, topologyOf, type KeptInstance, type KeptMachine } from "./kept.ts";
import { remarksOf } from "./remarks.ts";
import type { RunRecord } from "./run-record.ts";
import { powerOf } from "./runs.ts";

export interface MachineView {
  readonly machine: KeptMachine;
  readonly instance: KeptInstance | undefined;
  /** What is known of its run, also where that is not written down yet. */
  readonly run: RunRecord | undefined;
  /** Up to when the cluster is known to be like this. */
  readonly seenAt: number;
  readonly endpoints: readonly Endpoint[];
  readonly condition: MachineCondition;
}

export function viewMachine({
  machine,
  instance,
  run,
  seenAt,
  endpoints,
  condition,
}: MachineView): Machine {
  const { seen, run: written } = machine;
  const power = powerOf({ seen, instance: instance?.seen, written, run, seenAt });
  const { domain } = machine.seen.spec.template.spec;
  const wanted = { cpu: topologyOf(domain.cpu), memoryBytes: bytesOf(domain.memory.guest) };
  const isOn = power.power.value === "running" || power.power.value === "paused";
  const has = isOn && instance !== undefined ? instance : wanted;
  const differs =
    isOn &&
    (JSON.stringify(has.cpu) !== JSON.stringify(wanted.cpu) ||
      has.memoryBytes !== wanted.memoryBytes);
  return {
    id: machine.machineId,
    owner: machine.owner,
    hostId: instance?.seen.status?.nodeName ?? machine.hostId,
    locator: { namespace: machine.namespace, name: machine.name },
    ...power,
    ...(power.power.value === "stopped" && comesOn(machine, condition) ? { comesOn: true } : {}),
    start: "cold",
    cpu: has.cpu,
    memoryBytes: has.memoryBytes,
    diskBytes: machine.diskBytes,
    ...(isOn && machine.seen.metadata.annotations[pinnedKey] === "exclusive"
      ? { pinned: { exclusive: true } }
      : {}),
    ...(isEvacuating(instance) ? { evacuating: true } : {}),
    pendingResize: differs || isTrue(machine.seen, "RestartRequired"),
    endpoints: power.guest.ready ? endpoints : [],
    ...remarksOf(condition, power),
  };
}

const onItsWay: ReadonlySet<MachineState> = new Set(["preparing", "waiting", "starting", "failed"]);

/** Its strategy says on, and its guest has not ended by itself: KubeVirt goes on until it runs. */
function comesOn({ seen }: KeptMachine, { state }: MachineCondition): boolean {
  return seen.spec.runStrategy !== "Halted" && onItsWay.has(state);
}

/** KubeVirt moves by itself what can move; the rest is marked and left to us. */
function isEvacuating(instance: KeptInstance | undefined): boolean {
  if (instance === undefined) return false;
  const leaving = instance.seen.status?.evacuationNodeName ?? "";
  const movable = conditionOf(instance.seen, "LiveMigratable");
  return leaving !== "" && movable?.status === "False";
}

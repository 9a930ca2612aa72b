/** A machine of the cluster as the contract of providers has it: evidence, with the time it was seen. */
import type {
  CpuTopology,
  Endpoint,
  Machine,
  PowerState,
  StopEvidence,
} from "#providers/machine.ts";

import { ownerOf } from "#providers/kubevirt/compile/labels.ts";
import { machineIdOf } from "#providers/kubevirt/compile/names.ts";
import { parseUnits } from "#providers/kubevirt/compile/quantity.ts";

import type { SeenTogether } from "./condition.ts";
import { conditionOf, isTrue, type SeenInstance, type SeenMachine } from "./seen.ts";
import { transitionsOf } from "./transitions.ts";

export interface MachineView extends Pick<SeenTogether, "instance"> {
  readonly machine: SeenMachine;
  readonly seenAt: number;
  /** Where it was placed; it may run elsewhere, and then that is said. */
  readonly placedOn: string;
  readonly diskBytes: number;
  readonly endpoints: readonly Endpoint[];
}

/** `undefined` for a machine that carries no id of ours. */
export function viewMachine(view: MachineView): Machine | undefined {
  const { machine, instance, seenAt } = view;
  const id = machineIdOf(machine.metadata.name);
  if (id === undefined) return undefined;
  const power = powerOf(machine, instance);
  const agent = instance === undefined ? undefined : conditionOf(instance, "AgentConnected");
  const readyAt = agent?.lastTransitionTime ?? undefined;
  const stop = stopOf(machine, instance);
  const domain = machine.spec.template.spec.domain;
  const address = instance?.status?.interfaces.find(({ ipAddress }) => ipAddress)?.ipAddress;
  return {
    id,
    owner: ownerOf(machine.metadata.labels),
    hostId: instance?.status?.nodeName ?? view.placedOn,
    locator: { namespace: machine.metadata.namespace, name: machine.metadata.name },
    power: { value: power, at: seenAt },
    powerSince: sinceOf(machine, instance, power) ?? seenAt,
    ...(stop === undefined ? {} : { stop }),
    guest: {
      ready: agent?.status === "True",
      ...(agent?.status === "True" && readyAt !== undefined ? { readyAt } : {}),
    },
    start: instance === undefined ? undefined : "cold",
    cpu: topology(domain.cpu),
    memoryBytes: Number(parseUnits(domain.memory.guest ?? "0") ?? 0n),
    diskBytes: view.diskBytes,
    pendingResize: isTrue(machine, "RestartRequired"),
    endpoints: power === "running" ? view.endpoints : [],
    ...(address === undefined ? {} : { address }),
  };
}

function topology({
  sockets = 1,
  cores = 1,
  threads = 1,
}: SeenMachine["spec"]["template"]["spec"]["domain"]["cpu"]): CpuTopology {
  return { sockets, cores, threads };
}

function powerOf(machine: SeenMachine, instance: SeenInstance | undefined): PowerState {
  switch (instance?.status?.phase) {
    case undefined:
    case "":
    case "Succeeded":
    case "Failed":
      return "stopped";
    case "Running":
      return isTrue(instance, "Paused") ? "paused" : "running";
    case "Unknown":
      return "unknown";
    default:
      // It is on its way: not running yet, and it has not stopped.
      return machine.spec.runStrategy === "Halted" ? "stopped" : "unknown";
  }
}

function sinceOf(
  machine: SeenMachine,
  instance: SeenInstance | undefined,
  power: PowerState,
): number | undefined {
  if (instance !== undefined && power === "paused") {
    return conditionOf(instance, "Paused")?.lastTransitionTime ?? undefined;
  }
  const last = instance === undefined ? undefined : transitionsOf(instance).at(-1);
  return (
    last?.at ??
    conditionOf(machine, "Ready")?.lastTransitionTime ??
    machine.metadata.creationTimestamp
  );
}

/** Why it does not run any more; nothing of a machine that has not run yet. */
function stopOf(
  machine: SeenMachine,
  instance: SeenInstance | undefined,
): StopEvidence | undefined {
  const halted = machine.spec.runStrategy === "Halted";
  if (instance === undefined) {
    const ready = conditionOf(machine, "Ready");
    const at = ready?.lastTransitionTime ?? undefined;
    return halted && at !== undefined ? { at, reason: "requested", detail: "halted" } : undefined;
  }
  const last = transitionsOf(instance).at(-1);
  if (last?.to !== "ended") return undefined;
  if (halted) return { at: last.at, reason: "requested", detail: "halted" };
  const said = conditionOf(instance, "Ready")?.message ?? instance.status?.reason ?? last.by;
  return last.by === "Succeeded"
    ? { at: last.at, reason: "guest", detail: "the guest shut itself down" }
    : { at: last.at, reason: "crashed", detail: said };
}

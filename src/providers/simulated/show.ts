/** A simulated machine as the contract shows it, with the label that it is simulated. */
import { createHash } from "node:crypto";

import { requestedResources } from "#providers/extended-resources.ts";
import type { Machine, OperationStatus, Sample } from "#providers/provider.ts";
import { ProviderError } from "#providers/provider.ts";

import { cpusOf, holdsCompute } from "./capacity.ts";
import { workloadStatus } from "./workload.ts";
import type { MachineState, OperationState } from "./world.ts";

export function showMachine(
  machine: MachineState,
  now: number,
  hostDownSince: number | undefined,
): Machine {
  // Nobody can see whether a machine on a host that is down still runs.
  const lostAt = holdsCompute(machine) ? hostDownSince : undefined;
  const ready = machine.power === "running" && lostAt === undefined;
  return {
    id: machine.spec.id,
    owner: machine.spec.owner,
    hostId: machine.spec.hostId,
    locator: { simulated: "this machine does not exist", ...requestsOf(machine) },
    power: { value: lostAt === undefined ? machine.power : "unknown", at: now },
    powerSince: lostAt ?? machine.powerSince,
    ...(machine.stop === null ? {} : { stop: machine.stop }),
    guest:
      ready && machine.readyAt !== null
        ? { ready: true, readyAt: machine.readyAt, heardAt: machine.hungAt ?? now }
        : { ready: false },
    start: "simulated",
    cpu: machine.cpu,
    memoryBytes: machine.memoryBytes,
    diskBytes: machine.diskBytes,
    ...(machine.spec.pinning === undefined || machine.power === "stopped"
      ? {}
      : { pinned: machine.spec.pinning }),
    pendingResize:
      machine.pendingCpu !== null ||
      machine.pendingMemoryBytes !== null ||
      machine.pendingDiskBytes !== null,
    endpoints: [],
    address: addressOf(machine.spec.id),
    ...(machine.spec.workload === undefined ? {} : { workload: workloadStatus(machine, now) }),
  };
}

export function showOperation(operation: OperationState | undefined, now: number): OperationStatus {
  if (operation === undefined) return { state: "unknown" };
  const { acceptedAt, doneAt, failure, note } = operation;
  if (now < doneAt) {
    return {
      state: "running",
      percent: Math.floor((100 * (now - acceptedAt)) / (doneAt - acceptedAt)),
    };
  }
  return failure === null
    ? { state: "done", note }
    : {
        state: "failed",
        error: new ProviderError(failure.code, failure.message, { effect: "none" }),
      };
}

/** As the pod of a virtual machine would say it on Kubernetes. */
function requestsOf({ spec }: MachineState): { readonly requests?: string } {
  const requested = Object.entries(requestedResources(spec.gpus));
  return requested.length === 0
    ? {}
    : { requests: requested.map(([resource, units]) => `${resource}: ${units}`).join(", ") };
}

/** Made up as well, and nobody answers there: from a range that is kept for examples of benchmarks. */
function addressOf(id: string): string {
  const digest = createHash("sha256").update(id).digest();
  return `198.18.${digest.readUInt8(0)}.${digest.readUInt8(1)}`;
}

/** Made-up figures that only grow: a fifth of each CPU busy, a quarter of the memory resident. */
export function showSample(machine: MachineState, now: number): Sample {
  const running = machine.power === "running";
  const ranMs = machine.ranMs + (running ? now - machine.powerSince : 0);
  return {
    machineId: machine.spec.id,
    at: now,
    cpuSeconds: (cpusOf(machine.cpu) * ranMs) / 5000,
    residentBytes: running ? Math.floor(machine.memoryBytes / 4) : 0,
    diskReadBytes: ranMs * 1024,
    diskWrittenBytes: ranMs * 512,
  };
}

/**
 * Whether a machine physically fits on its host beside those that are on. A machine that is stopped
 * holds its disk and nothing else. Standard CPUs may be shared up to 1:1.5 (R-CPU-09), those of
 * `core` never; a device's slices sum to at most one.
 */
import type { CpuTopology, GpuAssignment } from "#providers/provider.ts";

import type { SimulatedHost } from "./hosts.ts";
import type { MachineState } from "./world.ts";

/** What one machine takes from its host. */
export interface Demand {
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuAssignment[];
  readonly serviceClass: "core" | "standard";
}

/** Why it does not fit, with the numbers; undefined if it does. */
export function shortage(
  host: SimulatedHost,
  others: readonly MachineState[],
  demand: Demand,
): string | undefined {
  const held = others.map(demandOf);
  const disk = sum(held, (each) => each.diskBytes);
  if (disk + demand.diskBytes > host.diskBytes) {
    return `disk: ${demand.diskBytes} bytes asked, ${host.diskBytes - disk} of ${host.diskBytes} free`;
  }
  const memory = sum(held, (each) => each.memoryBytes);
  if (memory + demand.memoryBytes > host.memoryBytes) {
    return `memory: ${demand.memoryBytes} bytes asked, ${host.memoryBytes - memory} of ${host.memoryBytes} free`;
  }
  // In half CPUs, so that 1:1.5 stays a whole number: a core CPU weighs 3, a standard one 2.
  const weight = sum(
    [...held, demand],
    (each) => cpusOf(each.cpu) * (each.serviceClass === "core" ? 3 : 2),
  );
  if (cpusOf(demand.cpu) > host.cpus || weight > host.cpus * 3) {
    return `CPU: ${cpusOf(demand.cpu)} asked, ${sum(held, (each) => cpusOf(each.cpu))} of ${host.cpus} in use (standard shares up to 1:1.5)`;
  }
  return gpuShortage(host, held, demand.gpus);
}

export function holdsCompute(machine: MachineState): boolean {
  return machine.power !== "stopped" || machine.startsAt !== null;
}

const none: CpuTopology = { sockets: 0, cores: 0, threads: 0 };

/** What it holds now; the disk counts in the size that it is going to have. */
export function demandOf(machine: MachineState): Demand {
  const { cpu, memoryBytes, spec } = machine;
  const diskBytes = Math.max(machine.diskBytes, machine.pendingDiskBytes ?? 0);
  return holdsCompute(machine)
    ? { cpu, memoryBytes, diskBytes, gpus: spec.gpus, serviceClass: spec.serviceClass }
    : { cpu: none, memoryBytes: 0, diskBytes, gpus: [], serviceClass: spec.serviceClass };
}

export function cpusOf(cpu: CpuTopology): number {
  return cpu.sockets * cpu.cores * cpu.threads;
}

function gpuShortage(
  host: SimulatedHost,
  held: readonly Demand[],
  wanted: readonly GpuAssignment[],
): string | undefined {
  for (const { deviceId } of wanted) {
    const slices = [...held.flatMap((other) => other.gpus), ...wanted]
      .filter((assignment) => assignment.deviceId === deviceId)
      .map((assignment) => assignment.slice);
    if (exceedsOne(slices)) return `GPU ${deviceId} of host ${host.id} is assigned already`;
  }
  return undefined;
}

/** Whether the shares 1/n sum to more than one; exact. */
function exceedsOne(slices: readonly number[]): boolean {
  let numerator = 0n;
  let denominator = 1n;
  for (const slice of slices.map(BigInt)) {
    numerator = numerator * slice + denominator;
    denominator *= slice;
  }
  return numerator > denominator;
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}

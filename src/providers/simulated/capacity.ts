/**
 * Whether a machine physically fits on its host beside those that are on. A machine that is stopped
 * holds its disk and nothing else. Standard CPUs may be shared up to 1:1.5 (R-CPU-09), those of
 * `core` never; a device's slices sum to at most one.
 */
import type { CpuTopology, GpuAssignment, Pinning } from "#providers/provider.ts";

import type { SimulatedHost } from "./hosts.ts";
import type { MachineState } from "./world.ts";

/** What one machine takes from its host. */
export interface Demand {
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuAssignment[];
  readonly serviceClass: "core" | "standard";
  readonly pinning?: Pinning;
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
  if (cpusOf(demand.cpu) > host.cpus || weightOf([...held, demand]) > host.cpus * fullWeight) {
    return `CPU: ${cpusOf(demand.cpu)} asked, ${sum(held, (each) => cpusOf(each.cpu))} of ${host.cpus} in use (standard shares up to 1:1.5)`;
  }
  return nodeShortage(host, held, demand) ?? gpuShortage(host, held, demand.gpus);
}

/** In half CPUs, so that 1:1.5 stays a whole number: a CPU of its own weighs 3, a standard one 2. */
const fullWeight = 3;

function weightOf(demands: readonly Demand[]): number {
  return sum(demands, ({ cpu, serviceClass, pinning }) => {
    const own = serviceClass === "core" || pinning?.exclusive === true;
    return cpusOf(cpu) * (own ? fullWeight : 2);
  });
}

/** What is bound to a node fits on it; all else runs where there is room. */
function nodeShortage(
  host: SimulatedHost,
  held: readonly Demand[],
  demand: Demand,
): string | undefined {
  const number = demand.pinning?.numaNode;
  const node = number === undefined ? undefined : host.numa?.[number];
  if (node === undefined) return undefined;
  const bound = [...held.filter(({ pinning }) => pinning?.numaNode === number), demand];
  if (weightOf(bound) > node.cpus * fullWeight) {
    return `CPU of NUMA node ${number}: ${cpusOf(demand.cpu)} asked, of ${node.cpus}`;
  }
  const memory = sum(bound, ({ memoryBytes }) => memoryBytes);
  return memory > node.memoryBytes
    ? `memory of NUMA node ${number}: ${memory} bytes with this, of ${node.memoryBytes}`
    : undefined;
}

export function holdsCompute(machine: MachineState): boolean {
  return machine.power !== "stopped" || machine.startsAt !== null;
}

const none: CpuTopology = { sockets: 0, cores: 0, threads: 0 };

/** What it holds now; the disk counts in the size that it is going to have. */
export function demandOf(machine: MachineState): Demand {
  const { cpu, memoryBytes, spec } = machine;
  const diskBytes = Math.max(machine.diskBytes, machine.pendingDiskBytes ?? 0);
  const { gpus, serviceClass, pinning } = spec;
  return holdsCompute(machine)
    ? { cpu, memoryBytes, diskBytes, gpus, serviceClass, ...(pinning && { pinning }) }
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

/**
 * What simulated machines are busy with. Made up, like everything here: a fifth of each CPU, some
 * network, a third of the memory, half of a GPU, nobody
 * logged in; until a test says otherwise of a machine. Counters go on
 * from where they were when the load changes. Not part of the world: who starts anew begins with the
 * made-up load.
 */
import type { Activity } from "#providers/provider.ts";

import { cpusOf } from "./capacity.ts";
import type { MachineState } from "./world.ts";

/** `null` where nobody sees it. */
export interface Load {
  readonly cpuShare: number | null;
  readonly networkBytesPerSecond: number | null;
  readonly memoryShare: number | null;
  readonly gpuShare: number | null;
  readonly sessions: number | null;
}

const madeUp: Load = {
  cpuShare: 0.2,
  networkBytesPerSecond: 2_000,
  memoryShare: 0.33,
  gpuShare: 0.5,
  sessions: 0,
};

interface Since {
  readonly load: Load;
  /** How long the machine had run by then, and its counters. */
  readonly ranMs: number;
  readonly cpuSeconds: number;
  readonly networkBytes: number;
}

const fromTheStart: Since = { load: madeUp, ranMs: 0, cpuSeconds: 0, networkBytes: 0 };

export class Loads {
  readonly #since = new Map<string, Since>();

  set(machine: MachineState, now: number, load: Partial<Load>): void {
    const before = this.#since.get(machine.spec.id) ?? fromTheStart;
    this.#since.set(machine.spec.id, {
      load: { ...before.load, ...load },
      ranMs: ranMs(machine, now),
      ...countersOf(machine, now, before),
    });
  }

  activityOf(machine: MachineState, now: number): Activity {
    const since = this.#since.get(machine.spec.id) ?? fromTheStart;
    const { cpuShare, networkBytesPerSecond, memoryShare, gpuShare, sessions } = since.load;
    const { cpuSeconds, networkBytes } = countersOf(machine, now, since);
    const hasGpu = machine.spec.gpus.length > 0;
    return {
      machineId: machine.spec.id,
      at: now,
      cpuSeconds: cpuShare === null ? null : cpuSeconds,
      networkBytes: networkBytesPerSecond === null ? null : networkBytes,
      memoryBytes: memoryShare === null ? null : Math.floor(machine.memoryBytes * memoryShare),
      gpuShare: hasGpu ? gpuShare : null,
      sessions,
      seenBy: {
        cpu: seenBy(cpuShare),
        network: seenBy(networkBytesPerSecond),
        memory: seenBy(memoryShare),
        gpu: hasGpu ? seenBy(gpuShare) : "the machine has no GPU",
        sessions: seenBy(sessions),
      },
    };
  }
}

function seenBy(figure: number | null): string {
  return figure === null ? "[simulated] not seen" : "[simulated] made up";
}

function countersOf(
  machine: MachineState,
  now: number,
  { load, ...since }: Since,
): Pick<Since, "cpuSeconds" | "networkBytes"> {
  const seconds = Math.max(0, ranMs(machine, now) - since.ranMs) / 1000;
  return {
    cpuSeconds: since.cpuSeconds + seconds * cpusOf(machine.cpu) * (load.cpuShare ?? 0),
    networkBytes: since.networkBytes + Math.floor(seconds * (load.networkBytesPerSecond ?? 0)),
  };
}

function ranMs(machine: MachineState, now: number): number {
  return machine.ranMs + (machine.power === "running" ? now - machine.powerSince : 0);
}

/**
 * What each mutation does to a machine that is there. Pure: a state, a time and a wish give a new
 * state, or a ProviderError with effect `none`. `machine` is already advanced to `now`.
 */
import { unreachable } from "#kernel/assert.ts";
import { resourceOf } from "#providers/extended-resources.ts";
import {
  ProviderError,
  type Capabilities,
  type GpuAssignment,
  type Interruption,
  type MachineSpec,
  type PowerAction,
  type Resize,
  type WorkloadEnd,
} from "#providers/provider.ts";

import { endWorkload, powerOff, powerOn, print } from "./advance.ts";
import { cpusOf } from "./capacity.ts";
import { demand, refused } from "./guard.ts";
import type { SimulatedHost } from "./hosts.ts";
import type { MachineState } from "./world.ts";

export interface Latencies {
  /** From accepting a machine until it is on. */
  readonly createMs: number;
  /** From power on until the guest is ready. */
  readonly bootMs: number;
  /** That a guest takes to shut down when asked. */
  readonly shutdownMs: number;
}

export interface Changed {
  readonly machine: MachineState;
  /** How long the operation goes on after it was accepted. */
  readonly takesMs: number;
  readonly note: string;
}

export function created(spec: MachineSpec, now: number, latencies: Latencies): MachineState {
  return {
    spec,
    createdAt: now,
    power: "stopped",
    powerSince: now,
    startsAt: now + latencies.createMs,
    bootsAt: null,
    readyAt: null,
    stopsAt: null,
    hungAt: null,
    stop: null,
    cpu: spec.cpu,
    memoryBytes: spec.memoryBytes,
    diskBytes: spec.diskBytes,
    pendingCpu: null,
    pendingMemoryBytes: null,
    pendingDiskBytes: null,
    snapshots: [],
    workload: null,
    ranMs: 0,
    serial: [],
    serialDropped: 0,
  };
}

/** Throws `refused` for what no time and no free capacity would make possible. */
export function checkSpec(spec: MachineSpec, host: SimulatedHost): void {
  for (const [name, value] of Object.entries({
    sockets: spec.cpu.sockets,
    cores: spec.cpu.cores,
    threads: spec.cpu.threads,
    memoryBytes: spec.memoryBytes,
    diskBytes: spec.diskBytes,
  })) {
    if (!Number.isSafeInteger(value) || value <= 0) throw refused(`${name} ${value} is not a size`);
  }
  checkGpus(spec.gpus, host);
  const node = spec.pinning?.numaNode;
  if (node !== undefined && host.numa?.[node] === undefined) {
    throw refused(`host ${host.id} has no NUMA node ${node}`);
  }
}

export function checkGpus(gpus: readonly GpuAssignment[], host: SimulatedHost): void {
  for (const { deviceId, model, slice, resource } of gpus) {
    const device = host.gpus.find((each) => each.id === deviceId);
    if (device === undefined) throw refused(`host ${host.id} has no GPU ${deviceId}`);
    if (device.model !== model) throw refused(`GPU ${deviceId} is a ${device.model}, not ${model}`);
    if (!Number.isSafeInteger(slice) || slice < 1 || slice > device.slicesMax) {
      throw refused(`GPU ${deviceId} cannot be cut into ${slice}; at most ${device.slicesMax}`);
    }
    const named = resourceOf(device, slice);
    if (resource !== undefined && resource !== named) {
      throw refused(
        `host ${host.id} advertises GPU ${deviceId} as ${named ?? "nothing"}, not ${resource}`,
      );
    }
  }
}

export function power(
  machine: MachineState,
  action: PowerAction,
  now: number,
  {
    latencies,
    capabilities,
  }: { readonly latencies: Latencies; readonly capabilities: Capabilities },
): Changed {
  const already = `[simulated] was ${machine.power} already`;
  switch (action.to) {
    case "start":
      if (machine.power === "paused") throw refused("the machine is paused: resume it");
      if (machine.power === "running" || machine.startsAt !== null) return same(machine, already);
      return at(
        powerOn(startingOn(machine, action.hostId, capabilities), now, latencies.bootMs),
        0,
      );
    case "stop":
      if (machine.power === "stopped" && machine.startsAt === null) return same(machine, already);
      return at(powerOff(machine, { at: now, reason: "requested", detail: "[simulated] stop" }), 0);
    case "shutdown": {
      if (machine.power === "stopped" && machine.startsAt === null) return same(machine, already);
      if (machine.stopsAt !== null) return same(machine, "[simulated] is shutting down already");
      // A guest that has not booted or is paused does not hear us: the grace runs out.
      const hears = machine.power === "running" && machine.readyAt !== null;
      const graceMs = action.graceSeconds * 1000;
      const takesMs = hears ? Math.min(latencies.shutdownMs, graceMs) : graceMs;
      return at({ ...machine, stopsAt: now + takesMs }, takesMs);
    }
    case "reboot": {
      if (machine.power !== "running") throw refused(`a ${machine.power} machine cannot reboot`);
      const ended = endWorkload(machine, now, {
        kind: "platform_fault",
        detail: "[simulated] the machine was rebooted",
      });
      const rebooting = { ...ended, bootsAt: now + latencies.bootMs, readyAt: null, stopsAt: null };
      return at(print(rebooting, "[simulated] reboot"), 0);
    }
    case "pause":
      demand(capabilities.pause, "pause");
      if (machine.power === "paused") return same(machine, already);
      if (machine.power !== "running") throw refused("a stopped machine cannot be paused");
      return at(paused(machine, now), 0);
    case "resume":
      demand(capabilities.pause, "resume");
      if (machine.power === "running") return same(machine, already);
      if (machine.power !== "paused") throw refused("the machine is stopped: start it");
      return at(resumed(machine, now), 0);
  }
  return unreachable(action);
}

function startingOn(
  machine: MachineState,
  hostId: string | undefined,
  { startElsewhere }: Capabilities,
): MachineState {
  if (hostId === undefined || hostId === machine.spec.hostId) return machine;
  demand(startElsewhere, "a start on another host");
  return { ...machine, spec: { ...machine.spec, hostId } };
}

export function resize(machine: MachineState, to: Resize, now: number, can: Capabilities): Changed {
  const { cpu, memoryBytes, diskBytes, gpus } = to;
  if (gpus !== undefined) demand(can.resizeGpus, "GPUs of a machine that is there");
  if (cpu !== undefined && !(cpusOf(cpu) > 0)) throw refused("a machine needs a CPU");
  if (memoryBytes !== undefined && !(memoryBytes > 0)) throw refused("a machine needs memory");
  if (diskBytes !== undefined && diskBytes < machine.diskBytes) {
    throw refused(`disks only grow: ${diskBytes} bytes asked, ${machine.diskBytes} now`);
  }
  if (diskBytes !== undefined && diskBytes > machine.diskBytes) {
    demand(can.diskGrow, "a larger disk");
  }
  const off = machine.power === "stopped" && machine.startsAt === null;
  const cpuNow = off || can.resizeCpuLive.can;
  const memoryNow = off || can.resizeMemoryLive.can;
  const diskNow = off || can.diskGrowLive.can;
  const next: MachineState = {
    ...machine,
    spec: gpus === undefined ? machine.spec : { ...machine.spec, gpus },
    cpu: cpuNow ? (cpu ?? machine.cpu) : machine.cpu,
    memoryBytes: memoryNow ? (memoryBytes ?? machine.memoryBytes) : machine.memoryBytes,
    diskBytes: diskNow ? (diskBytes ?? machine.diskBytes) : machine.diskBytes,
    pendingCpu: cpuNow ? null : (cpu ?? machine.pendingCpu),
    pendingMemoryBytes: memoryNow ? null : (memoryBytes ?? machine.pendingMemoryBytes),
    pendingDiskBytes: diskNow ? null : (diskBytes ?? machine.pendingDiskBytes),
  };
  return at(print(next, `[simulated] resized at ${new Date(now).toISOString()}`), 0);
}

export function interrupt(machine: MachineState, how: Interruption, now: number): Changed {
  const { workload } = machine;
  if (workload === null || workload.end !== null) {
    return same(machine, "[simulated] no workload runs");
  }
  if (machine.power !== "running" || machine.hungAt !== null) {
    throw new ProviderError("unavailable", "the guest does not answer", { effect: "none" });
  }
  if (how.to === "go-on") {
    return at({ ...machine, workload: { ...workload, interrupted: null } }, 0);
  }
  if (workload.interrupted !== null) return same(machine, "[simulated] is told already");
  const interrupted = { at: now, graceMs: how.graceSeconds * 1000 };
  return at({ ...machine, workload: { ...workload, interrupted } }, 0);
}

export function hung(machine: MachineState, now: number): MachineState {
  return { ...machine, hungAt: machine.hungAt ?? now };
}

export function crashed(machine: MachineState, now: number, detail: string): MachineState {
  return powerOff(machine, { at: now, reason: "crashed", detail });
}

/** The platform takes a program that runs off its machine, as the queue of a cluster would. */
export function evicted(
  machine: MachineState,
  now: number,
  why: Omit<Extract<WorkloadEnd, { readonly kind: "evicted" }>, "kind">,
): MachineState {
  return endWorkload(machine, now, { kind: "evicted", ...why });
}

/** The program ends by itself before its time; one that has not started yet goes on. */
export function programEnded(machine: MachineState, now: number, exitCode: number): MachineState {
  return endWorkload(machine, now, { kind: "exited", exitCode });
}

export function shutDownByGuest(machine: MachineState, now: number): MachineState {
  return powerOff(endWorkload(machine, now, { kind: "signaled", signal: "SIGTERM" }), {
    at: now,
    reason: "guest",
    detail: "[simulated] the guest shut itself down",
  });
}

function paused(machine: MachineState, now: number): MachineState {
  return {
    ...machine,
    power: "paused",
    ranMs: machine.ranMs + now - machine.powerSince,
    powerSince: now,
  };
}

/** What the guest was about to do happens that much later. */
function resumed(machine: MachineState, now: number): MachineState {
  const pausedMs = now - machine.powerSince;
  const { workload } = machine;
  return {
    ...machine,
    power: "running",
    powerSince: now,
    bootsAt: machine.bootsAt === null ? null : machine.bootsAt + pausedMs,
    workload:
      workload === null || workload.end !== null
        ? workload
        : { ...workload, pausedMs: workload.pausedMs + pausedMs },
  };
}

function at(machine: MachineState, takesMs: number): Changed {
  return { machine, takesMs, note: "[simulated]" };
}

function same(machine: MachineState, note: string): Changed {
  return { machine, takesMs: 0, note };
}

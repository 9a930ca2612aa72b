/**
 * What happens to a simulated machine by itself as time goes by: it gets created, boots, its
 * workload runs and ends, its guest shuts down. Pure: the same state and time give the same
 * machine, however often and in how many steps one looks.
 */
import type { StopEvidence, WorkloadEnd } from "#providers/provider.ts";

import { plannedEnd } from "./workload.ts";
import { serialLinesMax, type MachineState } from "./world.ts";

export function advance(machine: MachineState, now: number, bootMs: number): MachineState {
  let state = machine;
  for (;;) {
    const at = nextChangeAt(state);
    if (at === undefined || at > now) return state;
    state = step(state, at, bootMs);
  }
}

/** When the machine changes next by itself; undefined if it never does. */
export function nextChangeAt(machine: MachineState): number | undefined {
  // A guest that hangs does nothing by itself.
  const running = machine.power === "running" && machine.hungAt === null;
  const times = [
    machine.startsAt,
    machine.stopsAt,
    running ? machine.bootsAt : null,
    running ? (plannedEnd(machine)?.at ?? null) : null,
  ].filter((at) => at !== null);
  return times.length === 0 ? undefined : Math.min(...times);
}

function step(machine: MachineState, at: number, bootMs: number): MachineState {
  if (machine.startsAt === at) return powerOn(machine, at, bootMs);
  // A workload that ends in the very moment of the shutdown has ended by itself.
  const planned = machine.power === "running" ? plannedEnd(machine) : undefined;
  if (planned?.at === at) return endWorkload(machine, at, planned.end);
  if (machine.stopsAt === at) {
    const ended = endWorkload(machine, at, { kind: "signaled", signal: "SIGTERM" });
    return powerOff(ended, { at, reason: "requested", detail: "[simulated] shut down when asked" });
  }
  return booted(machine, at);
}

/** Starts a machine that is stopped, with the resize that waited for this. */
export function powerOn(machine: MachineState, at: number, bootMs: number): MachineState {
  return print(
    {
      ...machine,
      power: "running",
      powerSince: at,
      startsAt: null,
      bootsAt: at + bootMs,
      readyAt: null,
      hungAt: null,
      stop: null,
      cpu: machine.pendingCpu ?? machine.cpu,
      memoryBytes: machine.pendingMemoryBytes ?? machine.memoryBytes,
      diskBytes: machine.pendingDiskBytes ?? machine.diskBytes,
      pendingCpu: null,
      pendingMemoryBytes: null,
      pendingDiskBytes: null,
    },
    `[simulated] ${machine.spec.name}: this machine does not exist; its console is made up`,
  );
}

export function powerOff(machine: MachineState, stop: StopEvidence): MachineState {
  const lost: WorkloadEnd = {
    kind: "platform_fault",
    detail: `[simulated] the machine stopped before the workload ended: ${stop.detail}`,
  };
  const ended = endWorkload(machine, stop.at, lost);
  return print(
    {
      ...ended,
      ranMs: ended.ranMs + (ended.power === "running" ? stop.at - ended.powerSince : 0),
      power: "stopped",
      powerSince: stop.at,
      startsAt: null,
      bootsAt: null,
      readyAt: null,
      stopsAt: null,
      stop,
    },
    `[simulated] power off (${stop.reason})`,
  );
}

/** Ends a workload that is running; others are left as they are. */
export function endWorkload(machine: MachineState, at: number, end: WorkloadEnd): MachineState {
  const { workload } = machine;
  if (workload === null || workload.end !== null) return machine;
  // A paused program stopped counting when the pause began.
  const pausedMs = workload.pausedMs + (machine.power === "paused" ? at - machine.powerSince : 0);
  return { ...machine, workload: { ...workload, pausedMs, endedAt: at, end } };
}

export function print(machine: MachineState, line: string): MachineState {
  const lines = [...machine.serial, line];
  const over = Math.max(0, lines.length - serialLinesMax);
  return {
    ...machine,
    serial: lines.slice(over),
    serialDropped: machine.serialDropped + over,
  };
}

function booted(machine: MachineState, at: number): MachineState {
  const startsWorkload = machine.spec.workload !== undefined && machine.workload === null;
  return print(
    {
      ...machine,
      bootsAt: null,
      readyAt: at,
      workload: startsWorkload
        ? { startedAt: at, pausedMs: 0, endedAt: null, end: null, interrupted: null }
        : machine.workload,
    },
    `[simulated] ${machine.spec.name} login:`,
  );
}

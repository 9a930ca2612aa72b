/** How a machine's records look to the control plane. */
import type { Machine, MachineSpec } from "#providers/provider.ts";

import { instancePath } from "./instance.ts";
import type { State } from "./records.ts";
import type { Site } from "./site.ts";

export interface Seen {
  readonly logBytes: number;
  /** When the guest of a job answered last. */
  readonly heardAt: number | undefined;
  /** Its process keeps to the CPUs of the node that was chosen. */
  readonly isPinned: boolean;
}

export function showMachine(
  site: Site,
  spec: MachineSpec,
  state: State | undefined,
  seen: Seen,
): Machine {
  const hardware = state?.hardware ?? spec;
  const now = site.now();
  return {
    id: spec.id,
    owner: spec.owner,
    hostId: spec.hostId,
    locator: {
      directory: instancePath(site, spec.id),
      ...(state?.launch?.process ? { pid: String(state.launch.process.pid) } : {}),
    },
    power: { value: state?.power ?? "stopped", at: now },
    powerSince: state?.powerSince ?? now,
    ...(state?.stop ? { stop: state.stop } : {}),
    guest: guestOf(state, seen.heardAt),
    start: state?.launch?.start,
    cpu: hardware.cpu,
    memoryBytes: hardware.memoryBytes,
    diskBytes: hardware.diskBytes,
    ...(seen.isPinned && spec.pinning !== undefined ? { pinned: spec.pinning } : {}),
    pendingResize: state !== undefined && hasPendingResize(state),
    endpoints:
      state === undefined ? [] : [{ service: "ssh", host: "127.0.0.1", port: state.sshPort }],
    ...(state?.address === undefined ? {} : { address: state.address }),
    ...workloadOf(spec, state, seen),
  };
}

export function hasPendingResize({ hardware, wanted }: State): boolean {
  return JSON.stringify(hardware) !== JSON.stringify(wanted);
}

function guestOf(state: State | undefined, heardAt: number | undefined): Machine["guest"] {
  if (state === undefined || state.readyAt === null || state.power === "stopped") {
    return { ready: false };
  }
  const { readyAt } = state;
  return { ready: true, readyAt, ...(heardAt === undefined ? {} : { heardAt }) };
}

function workloadOf(
  spec: MachineSpec,
  state: State | undefined,
  seen: Seen,
): Pick<Machine, "workload"> {
  if (spec.workload === undefined) return {};
  const workload = state?.workload;
  if (!workload) return { workload: { state: "pending", logBytes: 0 } };
  return {
    workload: {
      state: workload.state,
      ...(workload.startedAt === null ? {} : { startedAt: workload.startedAt }),
      ...(workload.endedAt === null ? {} : { endedAt: workload.endedAt }),
      ...(workload.end === null ? {} : { end: workload.end }),
      logBytes: seen.logBytes,
    },
  };
}

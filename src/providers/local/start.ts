/** Starting a machine's QEMU from its record: a cold boot, or with a snapshot's memory. */
import type { MachineSpec } from "#providers/provider.ts";

import { qemuArguments, type Plan } from "./arguments.ts";
import { growDisk } from "./disk.ts";
import type { Driver } from "./driver.ts";
import { instancePath, runName, writeState } from "./instance.ts";
import { launch as launchQemu } from "./launch.ts";
import { limitCpu } from "./limits.ts";
import { cpusOfNode } from "./numa.ts";
import { keepOnCpus } from "./pin.ts";
import { accessMac, segmentOf, tenantMacOf } from "./network.ts";
import { vcpusOf, type Board, type Hardware, type State } from "./records.ts";

export interface StartOptions {
  readonly paused?: true;
  readonly loadSnapshot?: string;
  /** What was plugged when the snapshot was taken. */
  readonly board?: Board;
}

/** Boots the machine with the hardware that is wanted. Under the machine's lock. */
export async function startCold(
  driver: Driver,
  spec: MachineSpec,
  state: State,
  options: StartOptions = {},
): Promise<State> {
  const path = instancePath(driver.site, spec.id);
  const resized = await applyResize(driver, path, state);
  const board = options.board ?? plainBoard(resized.hardware);
  const plan = await planFor(driver, spec, resized, board);
  const { system } = await driver.qemu();
  const launched = await launchQemu(
    driver.site,
    path,
    { ...resized, intent: "run", readyAt: null },
    { uuid: spec.id, start: "cold", board },
    (runDirectory) => ({
      program: system,
      parameters: qemuArguments({
        ...plan,
        runDirectory,
        paused: options.paused === true,
        ...(options.loadSnapshot === undefined ? {} : { loadSnapshot: options.loadSnapshot }),
      }),
    }),
  );
  const running: State = {
    ...launched,
    power: options.paused === true ? "paused" : "running",
    powerSince: launched.launch?.at ?? driver.site.now(),
    stop: null,
  };
  await writeState(path, running);
  await limit(driver, spec.id, running);
  await pin(driver, spec, running);
  driver.keep(spec.id);
  return running;
}

/** Bounds the machine's CPU; that this cannot be done is no reason not to run it. */
export async function limit(driver: Driver, machineId: string, { launch }: State): Promise<void> {
  if (!launch?.process) return;
  const what = { pid: launch.process.pid, vcpus: launch.board.vcpus };
  await limitCpu(await driver.limits(), machineId, what).catch((error: unknown) => {
    driver.site.log.warn({ err: error, machineId }, "the machine's CPU is not bounded");
  });
}

/** Keeps QEMU, with the CPUs that it gets later, on the node that was chosen. */
export async function pin(driver: Driver, spec: MachineSpec, { launch }: State): Promise<void> {
  const cpus = spec.pinning?.numaNode === undefined ? undefined : cpusOfNode(spec.pinning.numaNode);
  if (!launch?.process || cpus === undefined) return;
  await keepOnCpus(launch.process.pid, cpus).catch((error: unknown) => {
    driver.site.log.warn({ err: error, machineId: spec.id, cpus }, "the machine is not pinned");
  });
}

export function plainBoard(hardware: Hardware): Board {
  return {
    cpu: hardware.cpu,
    vcpus: vcpusOf(hardware.cpu),
    memoryBytes: hardware.memoryBytes,
    modules: [],
  };
}

/** The plan of a machine's QEMU, for `run.N` of its next launch. */
export async function planFor(
  driver: Driver,
  spec: MachineSpec,
  state: State,
  board: Board,
): Promise<Plan> {
  const { site, offered } = driver;
  const accelerator = await driver.accelerator();
  return {
    name: spec.name,
    uuid: spec.id,
    runDirectory: runName(state.launches + 1),
    accelerator: accelerator.kind,
    cpuModel: accelerator.cpuModel,
    board,
    ...roomFor(offered, board),
    // A disk may hold the identity of another instance: the guest is told which one it is.
    kernel: { append: `${state.image.kernelArguments} millrace.instance=${spec.id}` },
    sshPort: state.sshPort,
    segment: segmentOf(site, spec.network),
    accessMac,
    tenantMac: tenantMacOf(spec.id),
    seed: spec.userData !== undefined,
    video: true,
    paused: false,
    incoming: false,
  };
}

/** How far a running machine may grow: what the host offers, within what guests take well. */
export function roomFor(
  offered: { readonly cpus: number; readonly memoryBytes: number },
  board: Board,
): { readonly vcpusMax: number; readonly memoryBytesMax: number } {
  const gib = 1024 ** 3;
  return {
    vcpusMax: Math.max(vcpusOf(board.cpu), board.vcpus, Math.min(offered.cpus, 16)),
    memoryBytesMax: Math.ceil(Math.max(offered.memoryBytes, 2 * board.memoryBytes) / gib) * gib,
  };
}

async function applyResize(driver: Driver, path: string, state: State): Promise<State> {
  const { hardware, wanted } = state;
  if (wanted.diskBytes > hardware.diskBytes) {
    const disks = { site: driver.site, qemu: await driver.qemu() };
    await growDisk(disks, path, { bytes: wanted.diskBytes, uid: state.uid });
  }
  return { ...state, hardware: wanted };
}

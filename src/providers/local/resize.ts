/**
 * Changing CPUs, memory and disk. A stopped machine has them at its next start, which is at once
 * as far as anybody can see. A running one gets more CPUs and memory plugged in and its disk
 * grown; less of anything, or what cannot be plugged, waits for the next start, and the note of
 * the operation says so.
 */
import { z } from "zod";

import type { CpuTopology, MachineSpec, Resize } from "#providers/provider.ts";

import { diskNode, memoryModulesMax, memoryModuleStepBytes } from "./arguments.ts";
import { growDisk } from "./disk.ts";
import type { Driver } from "./driver.ts";
import { writeState } from "./instance.ts";
import { withMonitor } from "./monitor.ts";
import { onMachine, refused, type Guest } from "./power.ts";
import type { Qmp } from "./qmp.ts";
import { vcpusOf, type Board, type Hardware, type Launch, type State } from "./records.ts";
import { limit, roomFor } from "./start.ts";

const hotpluggableCpus = z.array(
  z.object({
    type: z.string(),
    "qom-path": z.string().optional(),
    props: z.record(z.string(), z.number()),
  }),
);

interface Outcome {
  readonly state: State;
  readonly notes: readonly string[];
  /** What runs has changed, so the guest must take it up. */
  readonly launch: Launch | undefined;
}

export async function resizeMachine(
  driver: Driver,
  guest: Guest,
  machineId: string,
  to: Resize,
): Promise<string | undefined> {
  const outcome = await onMachine(driver, machineId, async ({ path, spec, state }) => {
    checkResize(driver, state, to);
    const wanted = mergedWith(state.wanted, to);
    const done =
      state.power === "stopped" || state.launch === null
        ? await resizeStopped(driver, path, state, wanted)
        : await resizeRunning(driver, spec, { ...state, wanted }, state.launch);
    await writeState(path, done.state);
    return done;
  });
  await limit(driver, machineId, outcome.state);
  const notes = [...outcome.notes];
  if (outcome.launch !== undefined && outcome.state.readyAt !== null) {
    const { hardware } = outcome.state;
    await guest.takeUp(machineId, outcome.launch, hardware).catch((error: unknown) => {
      driver.site.log.warn({ err: error, machineId }, "the guest did not take up new hardware");
      notes.push("the guest did not answer; it takes up new hardware at its next start");
    });
  }
  return notes.length === 0 ? undefined : notes.join("; ");
}

function checkResize(driver: Driver, state: State, to: Resize): void {
  const wanted = mergedWith(state.wanted, to);
  if (to.gpus !== undefined && to.gpus.length > 0) {
    throw refused("The local provider passes no devices to its machines.");
  }
  if (!(vcpusOf(wanted.cpu) >= 1 && Number.isInteger(vcpusOf(wanted.cpu)))) {
    throw refused("A machine needs at least one CPU.");
  }
  if (vcpusOf(wanted.cpu) > 512) throw refused(`${vcpusOf(wanted.cpu)} CPUs asked, at most 512.`);
  if (!(wanted.memoryBytes > 0) || wanted.memoryBytes % 1_048_576 !== 0) {
    throw refused("Memory is given in whole MiB.");
  }
  if (wanted.memoryBytes > driver.offered.memoryBytes) {
    throw refused(
      `This host offers ${driver.offered.memoryBytes} bytes of memory; ${wanted.memoryBytes} asked.`,
    );
  }
  if (to.diskBytes !== undefined && to.diskBytes < state.wanted.diskBytes) {
    throw refused(`Disks only grow: ${to.diskBytes} bytes asked, ${state.wanted.diskBytes} now.`);
  }
  if (wanted.diskBytes % 512 !== 0) throw refused("A disk is a whole number of 512-byte sectors.");
}

function mergedWith(wanted: Hardware, to: Resize): Hardware {
  return {
    cpu: to.cpu ?? wanted.cpu,
    memoryBytes: to.memoryBytes ?? wanted.memoryBytes,
    diskBytes: to.diskBytes ?? wanted.diskBytes,
  };
}

async function resizeStopped(
  driver: Driver,
  path: string,
  state: State,
  wanted: Hardware,
): Promise<Outcome> {
  if (wanted.diskBytes > state.hardware.diskBytes) {
    const disks = { site: driver.site, qemu: await driver.qemu() };
    await growDisk(disks, path, { bytes: wanted.diskBytes, uid: state.uid });
  }
  return { state: { ...state, hardware: wanted, wanted }, notes: [], launch: undefined };
}

async function resizeRunning(
  driver: Driver,
  spec: MachineSpec,
  state: State,
  launch: Launch,
): Promise<Outcome> {
  return withMonitor(driver.site, spec.id, launch, async (qmp) => {
    const cpu = await resizeCpu(driver, qmp, state.hardware.cpu, state.wanted.cpu, launch.board);
    const memory = await resizeMemory(driver, qmp, state, cpu.board);
    if (state.wanted.diskBytes > state.hardware.diskBytes) {
      await qmp.execute("block_resize", { "node-name": diskNode, size: state.wanted.diskBytes });
    }
    const hardware: Hardware = {
      cpu: cpu.now,
      memoryBytes: memory.now,
      diskBytes: state.wanted.diskBytes,
    };
    const grown = { ...launch, board: memory.board };
    return {
      state: { ...state, hardware, launch: grown },
      notes: [...cpu.notes, ...memory.notes],
      launch: grown,
    };
  });
}

interface Step<T> {
  readonly now: T;
  readonly board: Board;
  readonly notes: readonly string[];
}

async function resizeCpu(
  driver: Driver,
  qmp: Qmp,
  from: CpuTopology,
  to: CpuTopology,
  board: Board,
): Promise<Step<CpuTopology>> {
  const target = vcpusOf(to);
  if (JSON.stringify(from) === JSON.stringify(to)) return { now: from, board, notes: [] };
  const later = (why: string): Step<CpuTopology> => ({
    now: from,
    board,
    notes: [`CPUs change at the next start: ${why}`],
  });
  if (target < board.vcpus) return later("running machines do not give up CPUs");
  const { vcpusMax } = roomFor(driver.offered, board);
  if (target > vcpusMax) return later(`this start has room for ${vcpusMax}`);
  const slots = hotpluggableCpus.parse(await qmp.execute("query-hotpluggable-cpus"));
  const free = slots.filter((slot) => slot["qom-path"] === undefined).toReversed();
  for (const [index, slot] of free.slice(0, target - board.vcpus).entries()) {
    const id = `cpu${board.vcpus + index}`;
    await qmp.execute("device_add", { driver: slot.type, id, ...slot.props });
  }
  const { sockets, cores, threads } = to;
  return {
    now: to,
    board: { ...board, vcpus: target },
    notes: [
      `CPUs were plugged in; the guest sees them as ${sockets}x${cores}x${threads} after its next start`,
    ],
  };
}

async function resizeMemory(
  driver: Driver,
  qmp: Qmp,
  state: State,
  board: Board,
): Promise<Step<number>> {
  const from = state.hardware.memoryBytes;
  const to = state.wanted.memoryBytes;
  if (from === to) return { now: from, board, notes: [] };
  const later = (why: string): Step<number> => ({
    now: from,
    board,
    notes: [`memory changes at the next start: ${why}`],
  });
  const more = to - from;
  if (more < 0) return later("running machines do not give up memory");
  if (more % memoryModuleStepBytes !== 0) {
    return later(`running machines grow in steps of ${memoryModuleStepBytes} bytes`);
  }
  if (board.modules.length >= memoryModulesMax) {
    return later(`all ${memoryModulesMax} memory slots are taken`);
  }
  if (to > roomFor(driver.offered, board).memoryBytesMax)
    return later("beyond the room of this start");
  const index = board.modules.length;
  const memdev = `module${index}-ram`;
  await qmp.execute("object-add", { "qom-type": "memory-backend-ram", id: memdev, size: more });
  await qmp.execute("device_add", { driver: "pc-dimm", id: `module${index}`, memdev });
  return { now: to, board: { ...board, modules: [...board.modules, more] }, notes: [] };
}

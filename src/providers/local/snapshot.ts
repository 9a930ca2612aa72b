/**
 * Snapshots, inside the machine's qcow2 disk. With memory they hold the whole running machine;
 * without, its disk. Going back always ends QEMU and starts it anew with the hardware of then,
 * because memory fits only the board that it was taken from: one path, whatever the machine did
 * since.
 */
import { z } from "zod";

import type { MachineSpec, Snapshot } from "#providers/provider.ts";
import { ProviderError } from "#providers/provider.ts";

import { diskNode } from "./arguments.ts";
import type { Driver } from "./driver.ts";
import { writeState } from "./instance.ts";
import { endProcess, withMonitor } from "./monitor.ts";
import { onMachine, refused, type Guest } from "./power.ts";
import type { Qmp } from "./qmp.ts";
import { qemuImage } from "./qemu.ts";
import type { SnapshotRecord, State } from "./records.ts";
import { startCold } from "./start.ts";
import { waitFor } from "./wait.ts";

const snapshotsMax = 32;
const jobMs = 600_000;

const jobsSchema = z.array(
  z.object({ id: z.string(), status: z.string(), error: z.string().optional() }),
);
const blockNodes = z.array(
  z.object({
    "node-name": z.string().optional(),
    image: z.object({
      snapshots: z.array(z.object({ name: z.string(), "vm-state-size": z.number() })).default([]),
    }),
  }),
);

export function showSnapshot({ id, name, takenAt, withMemory, bytes }: SnapshotRecord): Snapshot {
  return { id, name, takenAt, withMemory, bytes };
}

export async function takeSnapshot(
  driver: Driver,
  guest: Guest,
  machineId: string,
  wanted: { readonly id: string; readonly name: string; readonly withMemory: boolean },
): Promise<string | undefined> {
  const before = await onMachine(driver, machineId, ({ state }) => Promise.resolve(state));
  if (
    !wanted.withMemory &&
    before.power === "running" &&
    before.launch !== null &&
    before.readyAt !== null
  ) {
    // What the guest has only in its caches belongs to its disk.
    await guest.sync(machineId, before.launch).catch(() => {});
  }
  return onMachine(driver, machineId, async ({ path, spec, state }) => {
    if (state.snapshots.some((each) => each.id === wanted.id)) return "was taken already";
    if (state.snapshots.length >= snapshotsMax) {
      throw refused(`A machine has at most ${snapshotsMax} snapshots.`);
    }
    if (wanted.withMemory && state.power === "stopped") {
      throw refused("A stopped machine has no memory to keep: take a snapshot of its disk.");
    }
    const takenAt = driver.site.now();
    const bytes = await store(driver, { path, spec, state }, tagOf(wanted.id), wanted.withMemory);
    const { id, name, withMemory } = wanted;
    const record: SnapshotRecord = {
      id,
      name,
      withMemory,
      takenAt,
      bytes,
      hardware: state.hardware,
      board: withMemory ? (state.launch?.board ?? null) : null,
    };
    await writeState(path, { ...state, snapshots: [...state.snapshots, record] });
    return undefined;
  });
}

export async function revertTo(
  driver: Driver,
  machineId: string,
  snapshotId: string,
): Promise<string | undefined> {
  return onMachine(driver, machineId, async ({ path, spec, state }) => {
    const snapshot = found(state, snapshotId);
    const intended: State = { ...state, intent: "stop" };
    await writeState(path, intended);
    await endProcess(path, intended, "kill");
    const stoppedState: State = {
      ...intended,
      hardware: snapshot.hardware,
      wanted: snapshot.hardware,
      readyAt: null,
    };
    if (snapshot.withMemory && snapshot.board !== null) {
      const options = { loadSnapshot: tagOf(snapshotId), board: snapshot.board } as const;
      const running = await startCold(driver, spec, stoppedState, options);
      await writeState(path, keepPower(state, running));
      return undefined;
    }
    await offline(driver, path, state, ["-a", tagOf(snapshotId)]);
    if (state.power === "stopped") {
      await writeState(path, { ...stoppedState, intent: "stop" });
      return undefined;
    }
    await writeState(path, keepPower(state, await startCold(driver, spec, stoppedState)));
    return undefined;
  });
}

export async function dropSnapshot(
  driver: Driver,
  machineId: string,
  snapshotId: string,
): Promise<string | undefined> {
  return onMachine(driver, machineId, async ({ path, spec, state }) => {
    if (!state.snapshots.some((each) => each.id === snapshotId)) return "was not there";
    const tag = tagOf(snapshotId);
    if (state.power === "stopped" || state.launch === null)
      await offline(driver, path, state, ["-d", tag]);
    else {
      await withMonitor(driver.site, spec.id, state.launch, (qmp) =>
        runJob(qmp, "snapshot-delete", { tag, devices: [diskNode] }),
      );
    }
    const snapshots = state.snapshots.filter((each) => each.id !== snapshotId);
    await writeState(path, { ...state, snapshots });
    return undefined;
  });
}

/** A machine that ran before and runs after was on all the time: metering sees no gap. */
function keepPower(before: State, after: State): State {
  return before.power === "running" ? { ...after, powerSince: before.powerSince } : after;
}

function found(state: State, snapshotId: string): SnapshotRecord {
  const snapshot = state.snapshots.find((each) => each.id === snapshotId);
  if (snapshot === undefined) throw noSnapshot(snapshotId);
  return snapshot;
}

export function noSnapshot(snapshotId: string): ProviderError {
  return new ProviderError("not_found", `There is no snapshot ${snapshotId}.`, { effect: "none" });
}

/** Bytes of memory that the snapshot holds. */
async function store(
  driver: Driver,
  { path, spec, state }: { path: string; spec: MachineSpec; state: State },
  tag: string,
  withMemory: boolean,
): Promise<number> {
  if (state.power === "stopped" || state.launch === null) {
    await offline(driver, path, state, ["-c", tag]);
    return 0;
  }
  const { launch } = state;
  return withMonitor(driver.site, spec.id, launch, async (qmp) => {
    if (!withMemory) {
      await qmp.execute("blockdev-snapshot-internal-sync", { device: diskNode, name: tag });
      return 0;
    }
    await runJob(qmp, "snapshot-save", { tag, vmstate: diskNode, devices: [diskNode] });
    return memoryBytes(qmp, tag);
  });
}

async function memoryBytes(qmp: Qmp, tag: string): Promise<number> {
  const nodes = blockNodes.parse(await qmp.execute("query-named-block-nodes", { flat: true }));
  const node = nodes.find((each) => each["node-name"] === diskNode);
  return node?.image.snapshots.find((each) => each.name === tag)?.["vm-state-size"] ?? 0;
}

/** Runs one of QEMU's jobs to its end. */
async function runJob(
  qmp: Qmp,
  command: string,
  parameters: Record<string, unknown>,
): Promise<void> {
  const id = `${command}-${String(parameters["tag"])}`;
  await qmp.execute(command, { "job-id": id, ...parameters });
  const ended = await waitFor(
    async () => {
      const jobs = jobsSchema.parse(await qmp.execute("query-jobs"));
      const job = jobs.find((each) => each.id === id);
      return job === undefined || job.status === "concluded" ? { error: job?.error } : undefined;
    },
    { timeoutMs: jobMs, everyMs: 10 },
  );
  await qmp.execute("job-dismiss", { id }).catch(() => {});
  if (ended === undefined) {
    throw new ProviderError("unknown", `QEMU's ${command} took too long.`, { effect: "maybe" });
  }
  if (ended.error === undefined) return;
  const full = /No space left/.test(ended.error);
  throw new ProviderError(
    full ? "capacity" : "unknown",
    `QEMU's ${command} failed: ${ended.error}`,
    {
      effect: "none",
    },
  );
}

async function offline(
  driver: Driver,
  path: string,
  state: State,
  parameters: readonly string[],
): Promise<void> {
  const place = { directory: path, uid: state.uid, gid: driver.site.gid };
  await qemuImage(await driver.qemu(), place, ["snapshot", ...parameters, "disk.qcow2"]);
}

/** QEMU looks snapshots up by name or number, so a name never looks like a number. */
export function tagOf(snapshotId: string): string {
  return `s-${snapshotId.replaceAll(/[^0-9A-Za-z-]/g, "_")}`;
}

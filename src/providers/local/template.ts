/**
 * Templates for warm starts: a machine that was booted once, logged into a few times so that what
 * it needs is in its caches, and stopped in mid-run. What is kept is its memory, the state of its
 * devices and its disk. A clone gets a copy of the memory, reads the device state and has an
 * overlay over the disk, so it goes on where the template stood.
 *
 * What must stay true: a template fits only the same QEMU, CPU, command line and image, all of
 * which make its key; and nothing in it is of a customer.
 */
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

import { qemuArguments, type Plan } from "./arguments.ts";
import { linkImage, makeDisk } from "./disk.ts";
import type { Driver, Image } from "./driver.ts";
import { readIfThere, writeDurably } from "./files.ts";
import { giveTo, linkInto, makeInstanceDirectory } from "./instance.ts";
import { launch } from "./launch.ts";
import { endProcess, monitorAt } from "./monitor.ts";
import { accessMac } from "./network.ts";
import type { Qmp } from "./qmp.ts";
import { type Board, type State } from "./records.ts";
import { receiveInside } from "./socket.ts";
import { makeMemoryFile } from "./site.ts";
import { releaseSlot, takeSlot, type Slot } from "./slots.ts";
import { plainBoard, roomFor } from "./start.ts";
import { waitFor } from "./wait.ts";

/** What machines that may share a template have in common. */
export interface Kind {
  readonly image: Image;
  readonly board: Board;
}

export interface Template {
  readonly key: string;
  readonly path: string;
  readonly diskBytes: number;
}

/** Gets a booted machine into the state that clones should start from. */
export type WarmUp = (machine: {
  readonly directory: string;
  readonly runDirectory: string;
  readonly sshPort: number;
  readonly image: Image;
  /** SSH logins to make. */
  readonly logins: number;
  readonly signal: AbortSignal;
}) => Promise<void>;

const run = promisify(execFile);
const migrationMs = 60_000;
const recordSchema = z.object({ key: z.string(), diskBytes: z.int(), madeAt: z.number() });
const templatesMax = 8;
const templateLogins = 3;

export async function keyOf(driver: Driver, kind: Kind): Promise<string> {
  const plan = await planOf(driver, kind, { uuid: "uuid", sshPort: 1, memoryFile: "ram" });
  const { version } = await driver.qemu();
  const parts = [version, kind.image.id, ...qemuArguments(plan)];
  if (plan.accelerator === "kvm") parts.push(processor());
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

export async function findTemplate(driver: Driver, kind: Kind): Promise<Template | undefined> {
  const key = await keyOf(driver, kind);
  const path = join(driver.site.root, "templates", key);
  const text = await readIfThere(join(path, "template.json"));
  if (text === undefined) return undefined;
  const record = recordSchema.safeParse(JSON.parse(text));
  return record.success ? { key, path, diskBytes: record.data.diskBytes } : undefined;
}

/** The command line of a template and of its clones: the same but for names, ports and files. */
export async function planOf(
  driver: Driver,
  kind: Kind,
  own: {
    readonly uuid: string;
    readonly sshPort: number;
    readonly memoryFile: string;
    readonly incoming?: true;
  },
): Promise<Plan> {
  const accelerator = await driver.accelerator();
  return {
    name: "machine",
    uuid: own.uuid,
    runDirectory: "run.1",
    accelerator: accelerator.kind,
    cpuModel: accelerator.cpuModel,
    board: kind.board,
    ...roomFor(driver.offered, kind.board),
    memoryFile: own.memoryFile,
    kernel: { append: kind.image.kernelArguments },
    sshPort: own.sshPort,
    segment: undefined,
    accessMac,
    // Clones begin with the template's address; the guest's agent changes it before they are wired.
    tenantMac: "56:00:00:00:00:01",
    video: true,
    paused: own.incoming === true,
    incoming: own.incoming === true,
  };
}

/** Boots, warms and stores one. Only one is built at a time, whoever asks. */
export async function buildTemplate(
  driver: Driver,
  kind: Kind,
  warmUp: WarmUp,
  signal: AbortSignal,
): Promise<Template> {
  return driver.site.locks.hold("template", async () => {
    const found = await findTemplate(driver, kind);
    if (found !== undefined) return found;
    const key = await keyOf(driver, kind);
    const draft = join(driver.site.root, "templates", `draft.${key}`);
    await rm(draft, { recursive: true, force: true });
    await makeInstanceDirectory(draft);
    const slot = await takeSlot(driver.site, `template.${key}`);
    try {
      await makeIn(driver, { kind, warmUp, signal, draft, slot, key });
    } catch (error) {
      await rm(draft, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    } finally {
      await releaseSlot(driver.site, slot.slot);
    }
    const path = join(driver.site.root, "templates", key);
    await rename(draft, path);
    await forgetOld(driver, key);
    return { key, path, diskBytes: kind.image.minDiskBytes };
  });
}

interface Build {
  readonly kind: Kind;
  readonly warmUp: WarmUp;
  readonly signal: AbortSignal;
  readonly draft: string;
  readonly slot: Slot;
  readonly key: string;
}

async function makeIn(driver: Driver, build: Build): Promise<void> {
  const { kind, draft, slot, key } = build;
  const { site } = driver;
  const memory = await makeMemoryFile(site, `template.${key}`, slot.uid);
  await linkImage(draft, kind.image);
  const disk = { backing: "base.qcow2", bytes: kind.image.minDiskBytes, uid: slot.uid };
  await makeDisk({ site, qemu: await driver.qemu() }, draft, disk);
  let state: State | undefined;
  try {
    state = await boot(driver, build, memory);
    await build.warmUp({
      directory: draft,
      runDirectory: "run.1",
      sshPort: slot.sshPort,
      image: kind.image,
      logins: templateLogins,
      signal: build.signal,
    });
    await writeFile(join(draft, "devices"), await store(draft, "run.1"));
    await endProcess(draft, state, "flush");
    state = undefined;
    await run("cp", ["--sparse=always", memory, join(draft, "memory")]);
    for (const name of ["disk.qcow2", "memory", "devices"]) await seal(join(draft, name));
    for (const name of ["run.1", "state.json", "serial.log"]) {
      await rm(join(draft, name), { recursive: true, force: true });
    }
    const record = { key, diskBytes: kind.image.minDiskBytes, madeAt: site.now() };
    await writeDurably(join(draft, "template.json"), `${JSON.stringify(record)}\n`);
  } finally {
    if (state !== undefined) await endProcess(draft, state, "kill");
    await rm(memory, { force: true });
  }
}

async function boot(
  driver: Driver,
  { kind, draft, slot, key }: Build,
  memoryFile: string,
): Promise<State> {
  const { system } = await driver.qemu();
  const uuid = `${key.slice(0, 8)}-${key.slice(8, 12)}-${key.slice(12, 16)}-${key.slice(16, 20)}-${key.slice(20, 32)}`;
  const plan = await planOf(driver, kind, { uuid, sshPort: slot.sshPort, memoryFile });
  const first = freshState(driver, { ...freshOf(kind, kind.image.minDiskBytes), slot });
  const next = { uuid, start: "cold", board: kind.board } as const;
  return launch(driver.site, draft, first, next, () => ({
    program: system,
    parameters: qemuArguments(plan),
  }));
}

/** What a machine of this kind is made of before anybody rents it. */
export function freshOf(
  { image, board }: Kind,
  diskBytes: number,
): { readonly image: Image; readonly hardware: State["hardware"] } {
  return { image, hardware: { cpu: board.cpu, memoryBytes: board.memoryBytes, diskBytes } };
}

/** The record of a machine with its disk that has not been started yet. */
export function freshState(
  { site }: Driver,
  machine: { readonly image: Image; readonly hardware: State["hardware"]; readonly slot: Slot },
): State {
  const { hardware, slot } = machine;
  const { id, name, kernelArguments, defaultUser } = machine.image;
  const now = site.now();
  return {
    createdAt: now,
    slot: slot.slot,
    uid: slot.uid,
    sshPort: slot.sshPort,
    image: { id, name, kernelArguments, defaultUser },
    diskMade: true,
    hardware,
    wanted: hardware,
    intent: "run",
    power: "stopped",
    powerSince: now,
    launches: 0,
    launch: null,
    wired: true,
    stop: null,
    readyAt: null,
    workload: null,
    snapshots: [],
  };
}

export function kindOf(image: Image, spec: { cpu: Board["cpu"]; memoryBytes: number }): Kind {
  const { cpu, memoryBytes } = spec;
  return { image, board: plainBoard({ cpu, memoryBytes, diskBytes: 0 }) };
}

/** Stops it in mid-run and returns the state of its devices; memory stays in its file. */
function store(directory: string, runDirectory: string): Promise<Buffer> {
  const socketName = `${runDirectory}/devices.sock`;
  return receiveInside(directory, socketName, () =>
    monitorAt(directory, runDirectory, async (qmp) => {
      await qmp.execute("stop");
      await ignoreShared(qmp, true);
      await qmp.execute("migrate", { uri: `unix:${socketName}` });
      await migrated(qmp);
    }),
  );
}

/** Loads device state from descriptor 3 into a QEMU that waits for it with the memory mapped. */
export async function restore(directory: string, runDirectory: string): Promise<void> {
  await monitorAt(directory, runDirectory, async (qmp) => {
    await ignoreShared(qmp, true);
    await qmp.execute("migrate-incoming", { uri: "fd:3" });
    await migrated(qmp);
    // Later snapshots must hold the memory.
    await ignoreShared(qmp, false);
  });
}

async function ignoreShared(qmp: Qmp, state: boolean): Promise<void> {
  const capabilities = [{ capability: "x-ignore-shared", state }];
  await qmp.execute("migrate-set-capabilities", { capabilities });
}

const migrationSchema = z.object({
  status: z.string().optional(),
  "error-desc": z.string().optional(),
});

async function migrated(qmp: Qmp): Promise<void> {
  const ended = await waitFor(
    async () => {
      const migration = migrationSchema.parse(await qmp.execute("query-migrate"));
      return migration.status === "completed" || migration.status === "failed"
        ? migration
        : undefined;
    },
    { timeoutMs: migrationMs, everyMs: 2 },
  );
  if (ended?.status !== "completed") {
    throw new Error(`QEMU did not move the device state: ${ended?.["error-desc"] ?? "no end"}`);
  }
}

/** Puts a template's files and a private copy of its memory where a clone expects them. */
export async function layClone(
  driver: Driver,
  template: Template,
  clone: { readonly path: string; readonly slot: Slot; readonly memoryFile: string },
): Promise<void> {
  const { path, slot, memoryFile } = clone;
  const { site } = driver;
  for (const name of ["base.qcow2", "kernel", "initrd"]) {
    await linkInto(join(template.path, name), join(path, name));
  }
  await linkInto(join(template.path, "disk.qcow2"), join(path, "template.qcow2"));
  // A copy: QEMU opens its memory for writing, and one guest must not write another's.
  await run("cp", ["--sparse=auto", join(template.path, "memory"), memoryFile]);
  const disk = { backing: "template.qcow2", bytes: template.diskBytes, uid: slot.uid };
  await makeDisk({ site, qemu: await driver.qemu() }, path, disk);
}

async function forgetOld(driver: Driver, keep: string): Promise<void> {
  const folder = join(driver.site.root, "templates");
  const found: { name: string; at: number }[] = [];
  for (const name of await readdir(folder)) {
    if (name !== keep) found.push({ name, at: (await stat(join(folder, name))).mtimeMs });
  }
  found.sort((a, b) => b.at - a.at);
  for (const { name } of found.slice(templatesMax - 1)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Ours, and read-only for every machine that is made from it. */
async function seal(path: string): Promise<void> {
  const uid = process.getuid?.();
  if (uid === 0) await giveTo(path, 0, 0);
  await chmod(path, 0o444);
}

/** Name and features of the host's processor: memory under KVM fits no other. */
function processor(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const line = (name: string): string => new RegExp(`^${name}\\s*:.*$`, "m").exec(text)?.[0] ?? "";
  return [line("model name"), line("flags"), line("microcode")].join("\n");
}

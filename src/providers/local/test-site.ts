/** For tests with real machines: a site in a scratch directory, and ways into its guests. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pino, type Logger } from "pino";

import { present } from "#kernel/assert.ts";
import type { Call, Machine, MachineSpec, Owner, Provider, ReadCall } from "#providers/provider.ts";

import type { Accelerator } from "./driver.ts";
import { ensureImage, type BuiltImage, type ImageName } from "./image/image.ts";
import { openLocal } from "./open.ts";
import type { WarmPoolSettings } from "./pool.ts";
import { waitFor } from "./wait.ts";

export const mebibyte = 1024 ** 2;
export const gibibyte = 1024 ** 3;
export const testOwner: Owner = { tenantId: "tenant", projectId: "project", resourceId: "lease" };
export const testRead: ReadCall = { signal: new AbortController().signal };
export const readyMs = 300_000;

const run = promisify(execFile);

export function testCall(owner: Owner = testOwner): Call {
  return { ...testRead, operationId: randomUUID(), owner };
}

export interface OpenOptions {
  readonly warmPool?: WarmPoolSettings;
  readonly log?: Logger;
  /** Another one than the site's own. */
  readonly dataDirectory?: string;
}

export interface TestSite {
  readonly directory: string;
  readonly image: BuiltImage;
  readonly publicKey: string;
  open(options?: OpenOptions): Promise<Provider>;
  spec(overrides?: Partial<MachineSpec>): MachineSpec;
  /** Runs a command in the guest as root and gives what it printed, also if it failed. */
  ssh(machine: Machine, command: string): Promise<string>;
  /** Ends every machine and removes the directory. */
  remove(): Promise<void>;
}

export async function createTestSite(): Promise<TestSite> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-vm-"));
  const image = await testImage();
  const key = join(directory, "key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key]);
  const publicKey = (await readFile(`${key}.pub`, "utf8")).trim();
  const log = pino({ level: process.env["LOG_LEVEL"] ?? "fatal" });
  let general: Promise<BuiltImage> | undefined;
  const open: TestSite["open"] = (options = {}) =>
    openLocal({
      dataDirectory: options.dataDirectory ?? directory,
      site: "here",
      hostId: "host",
      offered: { cpus: 4, memoryBytes: 4 * gibibyte },
      log: options.log ?? log,
      image: (name) => {
        if (name === "tiny") return Promise.resolve(image);
        if (name !== "debian-12") return Promise.reject(new Error(`no image ${name}`));
        general ??= testImage(name);
        return general;
      },
      accelerator: () => Promise.resolve(emulated),
      ...(options.warmPool === undefined ? {} : { warmPool: options.warmPool }),
    });
  return {
    directory,
    image,
    publicKey,
    open,
    spec: (overrides = {}) => ({
      id: randomUUID(),
      name: "machine",
      hostId: "host",
      image: "tiny",
      cpu: { sockets: 1, cores: 1, threads: 1 },
      memoryBytes: 128 * mebibyte,
      diskBytes: 256 * mebibyte,
      gpus: [],
      serviceClass: "standard",
      network: "network",
      loginUser: "root",
      sshKeys: [publicKey],
      owner: testOwner,
      ...overrides,
    }),
    ssh: (machine, command) => ssh(key, machine, command),
    remove: async () => {
      const provider = await open();
      const { items } = await provider.machines(testRead);
      for (const { id, owner } of items) await provider.delete(testCall(owner), id);
      await provider.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/** Without a probe: these tests must pass where there is no KVM, and so also where there is. */
const emulated: Accelerator = {
  kind: "tcg",
  cpuModel: "qemu64,+rdrand,-svm",
  reason: "these tests run machines emulated",
};

export async function testImage(name: ImageName = "tiny"): Promise<BuiltImage> {
  const cacheDirectory =
    process.env["MILLRACE_IMAGE_CACHE"] ?? join(process.cwd(), ".cache", "images");
  return ensureImage({ name, cacheDirectory, report: () => {}, ...testRead });
}

export async function machineReady(provider: Provider, id: string): Promise<Machine> {
  return until(`guest of ${id} ready`, async () => {
    const machine = await provider.machine(testRead, id);
    return machine?.guest.ready === true ? machine : undefined;
  });
}

export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  everyMs = 10,
): Promise<T> {
  return present(await waitFor(probe, { timeoutMs: readyMs, everyMs }), what);
}

async function ssh(key: string, machine: Machine, command: string): Promise<string> {
  const endpoint = present(machine.endpoints[0], "endpoint");
  const options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const parameters = ["-n", "-F", "none", "-i", key, "-p", String(endpoint.port)];
  for (const option of [...options, "LogLevel=ERROR"]) parameters.push("-o", option);
  const target = `root@${endpoint.host}`;
  try {
    const { stdout } = await run("ssh", [...parameters, target, command], { timeout: 60_000 });
    return stdout.trim();
  } catch (error) {
    if (error instanceof Error && "stdout" in error && "stderr" in error) {
      return `${String(error.stdout)}${String(error.stderr)}`.trim();
    }
    throw error;
  }
}

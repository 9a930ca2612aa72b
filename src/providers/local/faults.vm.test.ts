/** What a crash leaves behind: exactly one machine or none, and evidence that is right. */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import { ProviderError, type Machine, type Provider } from "#providers/provider.ts";

import {
  findByCommandLine,
  identify,
  isAlive,
  signalProcess,
  type ProcessIdentity,
} from "./process.ts";
import {
  createTestSite,
  machineReady,
  testCall,
  testOwner,
  testRead,
  until,
  type TestSite,
} from "./test-site.ts";

let site: TestSite;

beforeAll(async () => {
  site = await createTestSite();
});

afterAll(async () => {
  await site.remove();
});

/** How many QEMU processes there are for the machine; its shell has the same words. */
function qemuOf(id: string): number {
  const found = findByCommandLine(["-uuid", id]);
  const names = found.map(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8"));
  return names.filter((name) => name.startsWith("qemu")).length;
}

function kill(machine: Machine): ProcessIdentity {
  const pid = Number(present(machine.locator["pid"], "pid"));
  const process = present(identify(pid), "process");
  signalProcess(process, "SIGKILL");
  return process;
}

/** A death is seen within 2 s where a CPU is free to look, later where many wait for one. */
function seenMsMax(): number {
  return 2_000 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
}

/** What the site has on disk for machines; a test that failed before may have left some. */
async function kept(): Promise<string[]> {
  const local = join(site.directory, "local");
  const folders = ["instances", "slots"].map((name) => readdir(join(local, name)));
  return (await Promise.all(folders)).flat().toSorted();
}

async function withProvider<T>(work: (provider: Provider) => Promise<T>): Promise<T> {
  const provider = await site.open();
  try {
    return await work(provider);
  } finally {
    await provider.close();
  }
}

/** Another process that creates a machine and is killed at the first sight of a file. */
async function killedWhileCreating(id: string, sight: RegExp): Promise<void> {
  const script = `
    import { createTestSite, testCall } from "#providers/local/test-site.ts";
    import { openLocal } from "#providers/local/open.ts";
    import { pino } from "pino";
    const { directory, image, spec } = JSON.parse(process.argv[1]);
    const provider = await openLocal({
      dataDirectory: directory, site: "here", hostId: "host",
      offered: { cpus: 4, memoryBytes: 4 * 1024 ** 3 }, log: pino({ level: "fatal" }),
      image: () => Promise.resolve(image),
      accelerator: () => Promise.resolve({ kind: "tcg", cpuModel: "qemu64,+rdrand,-svm", reason: "test" }),
    });
    await provider.create(testCall(), spec);
    setInterval(() => {}, 1000);
  `;
  const given = { directory: site.directory, image: site.image, spec: site.spec({ id }) };
  const child = spawn(
    process.execPath,
    ["--conditions=source", "--input-type=module", "--eval", script, "--", JSON.stringify(given)],
    { stdio: "inherit" },
  );
  const folder = join(site.directory, "local", "instances", id);
  await until(`sight of ${sight.source}`, async () => {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    return names.some((name) => sight.test(name)) ? true : undefined;
  });
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}

describe("a driver that is killed while it creates", () => {
  for (const sight of [
    /^spec\.json$/,
    /^disk\.qcow2$/,
    /^run\.1$/,
    /^run\.1\/pid$/,
    /^run\.1\/qmp\.sock$/,
  ]) {
    test(`leaves one machine, which the next driver finishes: at ${sight.source}`, async () => {
      const spec = site.spec();
      await killedWhileCreating(spec.id, sight);
      await withProvider(async (provider) => {
        await provider.create(testCall(), spec);
        const machine = await machineReady(provider, spec.id);
        expect(machine.power.value).toBe("running");
        expect(qemuOf(spec.id)).toBe(1);
        const listing = await provider.machines(testRead);
        expect(listing.items.filter((each) => each.id === spec.id)).toHaveLength(1);
        await provider.delete(testCall(), spec.id);
        expect(qemuOf(spec.id)).toBe(0);
      });
    });
  }
});

describe("two drivers on one directory", () => {
  test("make one machine of the same create, see each other's machines and outlive each other", async () => {
    const [first, second] = [await site.open(), await site.open()];
    const spec = site.spec();
    await Promise.all([first.create(testCall(), spec), second.create(testCall(), spec)]);
    expect(qemuOf(spec.id)).toBe(1);
    const ready = await machineReady(second, spec.id);
    expect((await first.machine(testRead, spec.id))?.guest.ready).toBe(true);
    await first.close();

    const changes = second.changes(testRead)[Symbol.asyncIterator]();
    const killedAt = Date.now();
    kill(ready);
    let machine: Machine | undefined;
    while (machine?.power.value !== "stopped") {
      const { value } = await changes.next();
      if (value === spec.id) machine = await second.machine(testRead, spec.id);
    }
    const seenAt = Date.now();
    expect(seenAt - killedAt).toBeLessThan(seenMsMax());
    expect(machine.stop?.reason).toBe("crashed");
    expect(machine.powerSince).toBeGreaterThanOrEqual(killedAt);
    expect(machine.powerSince).toBeLessThanOrEqual(seenAt);
    await second.delete(testCall(), spec.id);
    await second.close();
  });
});

test("a machine that died while no driver ran is stopped since the moment of its death", async () => {
  const spec = site.spec();
  const machine = await withProvider(async (provider) => {
    await provider.create(testCall(), spec);
    return machineReady(provider, spec.id);
  });
  const killedAt = Date.now();
  const process = kill(machine);
  // Its command line is gone before its last thread is, and only then is it dead.
  await until("the end of the process", () => Promise.resolve(isAlive(process) ? undefined : true));
  await withProvider(async (provider) => {
    const found = present(await provider.machine(testRead, spec.id), "machine");
    await provider.delete(testCall(), spec.id);
    expect(found.power.value).toBe("stopped");
    expect(found.stop?.reason).toBe("crashed");
    expect(found.powerSince).toBeGreaterThanOrEqual(killedAt);
    expect(found.powerSince - killedAt).toBeLessThan(seenMsMax());
  });
});

test("a machine outlives its driver and is found again, ready, without a new conversation", async () => {
  const spec = site.spec();
  const before = await withProvider(async (provider) => {
    await provider.create(testCall(), spec);
    return machineReady(provider, spec.id);
  });
  await withProvider(async (provider) => {
    const after = present(await provider.machine(testRead, spec.id), "machine");
    expect(after.locator).toEqual(before.locator);
    expect(after.powerSince).toBe(before.powerSince);
    expect(after.guest).toEqual(before.guest);
    expect(await site.ssh(after, "echo here")).toBe("here");
    await provider.delete(testCall(), spec.id);
  });
});

test("damaged records make the listing incomplete and nothing else; half a directory is collected", async () => {
  const instances = join(site.directory, "local", "instances");
  const [damaged, half] = [site.spec().id, site.spec().id];
  await mkdir(join(instances, damaged));
  await writeFile(join(instances, damaged, "spec.json"), '{"id": "torn');
  await mkdir(join(instances, half));
  await withProvider(async (provider) => {
    const listing = await provider.machines(testRead);
    expect(listing.complete).toBe(false);
    expect(listing.failedScopes).toEqual([`instances/${damaged}`]);
    expect(await readdir(instances)).not.toContain(half);
    const error: unknown = await provider
      .machine(testRead, damaged)
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ProviderError);
    await writeFile(
      join(instances, damaged, "spec.json"),
      JSON.stringify(site.spec({ id: damaged })),
    );
    await provider.delete(testCall(testOwner), damaged);
    expect((await provider.machines(testRead)).complete).toBe(true);
  });
});

test("a broken image is a clear error, and leaves nothing", async () => {
  const broken = join(site.directory, "broken.qcow2");
  await writeFile(broken, "this is no disk");
  const { baseDiskPath } = site.image;
  Object.assign(site.image, { baseDiskPath: broken });
  const spec = site.spec();
  const before = await kept();
  try {
    await withProvider(async (provider) => {
      const error: unknown = await provider
        .create(testCall(), spec)
        .catch((cause: unknown) => cause);
      expect(error).toMatchObject({ name: "ProviderError", effect: "none" });
      expect(String(error)).toMatch(/qcow2/);
      expect(await provider.machine(testRead, spec.id)).toBeUndefined();
    });
  } finally {
    Object.assign(site.image, { baseDiskPath });
  }
  expect(await kept()).toEqual(before);
});

test("without QEMU the error says what to install", async () => {
  const path = present(process.env["PATH"], "PATH");
  process.env["PATH"] = site.directory;
  try {
    await withProvider(async (provider) => {
      const error: unknown = await provider
        .create(testCall(), site.spec())
        .catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "unavailable", effect: "none" });
      expect(String(error)).toContain("qemu-system-x86");
    });
  } finally {
    process.env["PATH"] = path;
  }
  expect(await readFile(join(site.directory, "local", "site.json"), "utf8")).toContain("salt");
});

test("when QEMU goes away while the driver runs, a start says what to install", async () => {
  const path = present(process.env["PATH"], "PATH");
  const before = await kept();
  const tools = await mkdtemp(join(tmpdir(), "millrace-tools-"));
  await chmod(tools, 0o755);
  for (const name of ["nice", "date", "mv", "qemu-img"]) {
    await symlink(execFileSync("which", [name]).toString().trim(), join(tools, name));
  }
  try {
    await withProvider(async (provider) => {
      const { version } = await provider.info(testRead);
      expect(version).toMatch(/^QEMU \d/);
      process.env["PATH"] = tools;
      const spec = site.spec();
      const error: unknown = await provider
        .create(testCall(), spec)
        .catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "unavailable", effect: "none" });
      expect(String(error)).toContain("apt-get install qemu-system-x86");
      expect(await provider.machine(testRead, spec.id)).toBeUndefined();
      process.env["PATH"] = path;
      await provider.create(testCall(), spec);
      await provider.delete(testCall(), spec.id);
    });
  } finally {
    process.env["PATH"] = path;
    await rm(tools, { recursive: true });
  }
  expect(await kept()).toEqual(before);
});

test.skipIf(process.getuid?.() !== 0)(
  "a full disk is no capacity, and leaves nothing",
  async () => {
    const small = await mkdtemp(join(tmpdir(), "millrace-full-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
    try {
      const provider = await site.open({ dataDirectory: small });
      await writeFile(join(small, "ballast"), Buffer.alloc(64 * 1024));
      const spec = site.spec();
      const error: unknown = await provider
        .create(testCall(), spec)
        .catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "capacity", effect: "none" });
      expect(await provider.machine(testRead, spec.id)).toBeUndefined();
      expect(await readdir(join(small, "local", "instances"))).toEqual([]);
      expect(await readdir(join(small, "local", "slots"))).toEqual([]);
      await provider.close();
    } finally {
      execFileSync("umount", ["-l", small]);
      await rm(small, { recursive: true });
    }
  },
);

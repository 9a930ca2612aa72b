import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  access,
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, describe, expect, test, vi } from "vitest";

import { openDataDirectory } from "#config/data-directory.ts";
import { startEmbedded } from "#db/embedded.ts";

import { backUp, type BackupOptions } from "./backup.ts";
import { restore, type Restored } from "./restore.ts";

// Several servers start and stop in each of these.
vi.setConfig({ testTimeout: 90_000 });

const scratch = await mkdtemp(join(tmpdir(), "millrace-backup-"));
await chmod(scratch, 0o711);
const cleanUps: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  await rm(scratch, { recursive: true, force: true });
});

const log = { info: ignore, warn: ignore, error: ignore };
const signal = new AbortController().signal;
function ignore(): void {}

const source = join(scratch, "source");
const directory = await openDataDirectory(source);
const embedded = await startEmbedded({ directory: directory.postgres, log, signal });
cleanUps.push(async () => {
  await embedded.stop();
  await directory.close();
});
const client = new pg.Client({ connectionString: embedded.url });
await client.connect();
cleanUps.unshift(() => client.end());
await client.query(
  "create table posting (id bigint primary key, account int not null, amount bigint not null)",
);
await client.query(
  "insert into posting select n, n % 2, case n % 2 when 0 then 5 else -5 end from generate_series(1, 20000) n",
);
await writeFile(join(directory.storage, "result 结果 'x'\n.txt"), "forty-two");
await mkdir(join(directory.storage, "d".repeat(90)), { recursive: true });
await writeFile(join(directory.storage, "d".repeat(90), "f".repeat(90)), "long name");
await mkdir(join(directory.local, "instances/stopped"), { recursive: true });
const diskBytes = 64 * 1024 * 1024;
const disk = await open(join(directory.local, "instances/stopped/disk.raw"), "w");
await disk.write("boot", 0);
await disk.write("data", 40_000_001);
await disk.truncate(diskBytes);
await disk.close();
// As an unprivileged QEMU has it: a number without a name, and a base that has two names.
const diskOwner = process.getuid?.() === 0 ? 200_000_123 : process.getuid?.();
await chown(join(directory.local, "instances/stopped/disk.raw"), diskOwner ?? 0, diskOwner ?? 0);
await writeFile(join(directory.images, "base.qcow2"), "base");
await link(
  join(directory.images, "base.qcow2"),
  join(directory.local, "instances/stopped/base.qcow2"),
);
await symlink("base.qcow2", join(directory.images, "latest"));

async function make(archive: string, options: Partial<BackupOptions> = {}): Promise<string> {
  const path = join(scratch, archive);
  await backUp({
    dataDirectory: source,
    archive: path,
    running: "refuse",
    now: Date.now,
    log,
    signal,
    onProgress: ignore,
    ...options,
  });
  return path;
}

async function restoreInto(name: string, archive: string): Promise<Restored> {
  return restore({ archive, dataDirectory: join(scratch, name), log, signal, onProgress: ignore });
}

const whole = await make("whole.tar.zst");

test("a backup of the running cloud restores to the same rows and files", async () => {
  expect((await stat(whole)).mode & 0o777).toBe(0o600);
  const restored = await restoreInto("whole", whole);
  expect(restored.rows.get("public.posting")).toBe(20_000);
  expect(restored.pages).toBeGreaterThan(1_000);
  expect(restored.unknownOwners).toEqual([]);
  const target = join(scratch, "whole");
  expect(await readFile(join(target, "storage/result 结果 'x'\n.txt"), "utf8")).toBe("forty-two");
  expect(await readFile(join(target, "storage", "d".repeat(90), "f".repeat(90)), "utf8")).toBe(
    "long name",
  );
  const path = join(target, "local/instances/stopped/disk.raw");
  expect(
    (await readFile(path)).equals(await readFile(join(source, "local/instances/stopped/disk.raw"))),
  ).toBe(true);
  // Sparse, as it was.
  expect((await stat(path)).blocks * 512).toBeLessThan(diskBytes / 10);
  expect((await stat(path)).uid).toBe(diskOwner);
  expect((await stat(join(target, "local/instances/stopped/base.qcow2"))).ino).toBe(
    (await stat(join(target, "images/latest"))).ino,
  );
  expect((await stat(join(target, "keys"))).mode & 0o777).toBe(0o700);

  // It is a data directory like any other, with the same passwords.
  const opened = await openDataDirectory(target);
  const again = await startEmbedded({ directory: opened.postgres, log, signal });
  expect(again.outcome).toBe("started");
  expect(new URL(again.url).password).toBe(new URL(embedded.url).password);
  await again.stop();
  await opened.close();

  // And it can be backed up while nothing runs.
  const cold = await make("cold.tar.zst", { dataDirectory: target });
  expect((await restoreInto("cold", cold)).rows).toEqual(restored.rows);
});

test("a backup taken while transactions commit holds each of them whole or not at all", async () => {
  const writing = { on: true, committed: 0 };
  const writer = (async (): Promise<void> => {
    const second = new pg.Client({ connectionString: embedded.url });
    await second.connect();
    while (writing.on) {
      const id = 100_000 + 2 * writing.committed;
      await second.query(`insert into posting values (${id}, 0, 7), (${id + 1}, 1, -7)`);
      writing.committed += 1;
    }
    await second.end();
  })();
  await expect.poll(() => writing.committed).toBeGreaterThan(20);
  const before = writing.committed;
  const archive = await make("busy.tar.zst");
  writing.on = false;
  await writer;
  expect(writing.committed).toBeGreaterThan(before);
  await restoreInto("busy", archive);
  const restored = await startEmbedded({
    directory: join(scratch, "busy/postgres"),
    log,
    signal,
  });
  const reader = new pg.Client({ connectionString: restored.url });
  await reader.connect();
  const { rows } = await reader.query(
    "select sum(amount)::text as sum, count(*)::int as count from posting",
  );
  await reader.end();
  await restored.stop();
  expect(rows[0].sum).toBe("0");
  expect(rows[0].count).toBeGreaterThanOrEqual(20_000 + 2 * before);
});

async function isAbsent(name: string): Promise<boolean> {
  return access(join(scratch, name)).then(
    () => false,
    () => true,
  );
}

describe("an archive that is not whole is found before anything is written", () => {
  test.for([0.999, 0.5, 0.01, 0])("cut to %d of its length", async (share) => {
    const archive = join(scratch, `cut-${share}.tar.zst`);
    await copyFile(whole, archive);
    await truncate(archive, Math.floor((await stat(archive)).size * share));
    await expect(restoreInto(`cut-${share}`, archive)).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/damaged or cut short/),
    });
    expect(await isAbsent(`cut-${share}`)).toBe(true);
  });

  test("one byte of it is another", async () => {
    const archive = join(scratch, "flipped.tar.zst");
    await copyFile(whole, archive);
    const file = await open(archive, "r+");
    const at = Math.floor((await file.stat()).size / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0x10]), 0, 1, at);
    await file.close();
    await expect(restoreInto("flipped", archive)).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(await isAbsent("flipped")).toBe(true);
  });

  test("it is not an archive at all", async () => {
    const path = join(scratch, "text");
    await writeFile(path, "hello\n".repeat(10_000));
    await expect(restoreInto("from-text", path)).rejects.toMatchObject({ code: "invalid_request" });
    await expect(restoreInto("from-text", join(scratch, "nowhere"))).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

test("neither a directory that holds something nor an archive that exists is written over", async () => {
  const before = await readFile(whole);
  await expect(make("whole.tar.zst")).rejects.toMatchObject({ code: "conflict" });
  await expect(make("source/inside.tar.zst")).rejects.toMatchObject({ code: "invalid_request" });
  expect((await readFile(whole)).equals(before)).toBe(true);
  await mkdir(join(scratch, "full"));
  await writeFile(join(scratch, "full/mine"), "");
  await expect(restoreInto("full", whole)).rejects.toMatchObject({ code: "conflict" });
  expect(await readdir(join(scratch, "full"))).toEqual(["mine"]);
});

test("a running machine's disk: refused, left out, or copied while the machine stands still", async () => {
  await mkdir(join(directory.local, "instances/busy"));
  // Stands for QEMU: it holds the disk open for writing and writes all the time.
  const machine = spawn(
    "sh",
    ["-c", 'exec 3<>"$1"; echo ready; while sleep 0.01; do echo tick >&3; done', "machine", "disk"],
    { cwd: join(directory.local, "instances/busy"), stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    await once(machine.stdout, "data");
    await expect(make("refused.tar.zst")).rejects.toMatchObject({
      code: "wrong_state",
      message: expect.stringContaining("busy"),
    });
    const without = await make("without.tar.zst", { running: "leave-out" });
    const { manifest } = await restoreInto("without", without);
    expect(manifest.leftOut).toEqual([
      { path: "local/instances/busy", because: "the virtual machine was running" },
    ]);
    const paused = await make("paused.tar.zst", { running: "pause" });
    await restoreInto("paused", paused);
    const copied = await readFile(join(scratch, "paused/local/instances/busy/disk"), "utf8");
    expect(copied.replaceAll("tick\n", "")).toBe("");
    expect(copied.length).toBeGreaterThan(0);
    const status = await readFile(`/proc/${machine.pid}/stat`, "utf8");
    expect(status).not.toMatch(/\) [Tt] /);
  } finally {
    machine.kill("SIGKILL");
    await once(machine, "exit");
  }
});

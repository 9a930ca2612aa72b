import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";
import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { openDataDirectory } from "#config/data-directory.ts";
import { startEmbedded } from "#db/embedded.ts";

import { readArchive } from "./archive.ts";
import { backUp } from "./backup.ts";
import { restoreDatabase } from "./restore-database.ts";
import { drain } from "./unpack.ts";

// A server starts and stops several times.
vi.setConfig({ testTimeout: 90_000 });

const scratch = await mkdtemp(join(tmpdir(), "millrace-back-"));
await chmod(scratch, 0o711);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const log = { info: ignore, warn: ignore, error: ignore };
const { signal } = new AbortController();
function ignore(): void {}

const source = join(scratch, "source");
const archive = join(scratch, "first.backup");
const stamp = Date.parse("2026-03-04T05:06:07.890Z");

async function withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const directory = await openDataDirectory(source);
  const embedded = await startEmbedded({ directory: directory.postgres, log, signal });
  const client = new pg.Client({ connectionString: embedded.url });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
    await embedded.stop();
    await directory.close();
  }
}

async function rowsThere(): Promise<number[]> {
  return withDatabase(async (client) => {
    const { rows } = await client.query("select n from fact order by n");
    return z
      .array(z.object({ n: z.int() }))
      .parse(rows)
      .map(({ n }) => n);
  });
}

async function backUpTo(path: string): Promise<void> {
  const options = { running: "refuse", now: Date.now, log, signal, onProgress: ignore } as const;
  await backUp({ dataDirectory: source, archive: path, ...options });
}

function restoreFrom(path: string): ReturnType<typeof restoreDatabase> {
  const options = { log, signal, onProgress: ignore, now: () => stamp };
  return restoreDatabase({ archive: path, dataDirectory: source, ...options });
}

test("the database alone goes back to the backup; files stay, and so does what was there", async () => {
  await withDatabase(async (client) => {
    await client.query("create table fact (n int)");
    await client.query("insert into fact values (1)");
  });
  const disk = join(source, "local/disk");
  await writeFile(disk, "then");
  await backUpTo(archive);
  await withDatabase((client) => client.query("insert into fact values (2)"));
  await writeFile(disk, "now");

  const restored = await restoreFrom(archive);
  expect(restored.rows.get("public.fact")).toBe(1);
  expect(restored.former).toBe(join(source, "postgres.until-20260304T050607"));
  expect(await rowsThere()).toEqual([1]);
  expect(await readFile(disk, "utf8")).toBe("now");
  expect(await readdir(restored.former ?? "")).toContain("cluster");

  // What was set aside is in no later backup.
  const second = join(scratch, "second.backup");
  await backUpTo(second);
  const { entries } = await readArchive(second, signal, drain);
  expect(entries.filter(({ path }) => /until|restoring/.test(path))).toEqual([]);
});

test("while it is in use, or from a damaged archive, nothing is changed", async () => {
  const before = await readdir(source);
  await withDatabase(async () => {
    await expect(restoreFrom(archive)).rejects.toMatchObject({ code: "conflict" });
  });
  const damaged = join(scratch, "damaged.backup");
  const bytes = await readFile(archive);
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0x10;
  await writeFile(damaged, bytes);
  await expect(restoreFrom(damaged)).rejects.toMatchObject({ code: "invalid_request" });
  expect(await readdir(source)).toEqual(before);
  expect(await rowsThere()).toEqual([1]);
});

test("a server that outlived its program is named, not robbed of its files", async () => {
  const directory = await openDataDirectory(source);
  const embedded = await startEmbedded({ directory: directory.postgres, log, signal });
  await directory.close();
  await expect(restoreFrom(archive)).rejects.toMatchObject({
    code: "wrong_state",
    message: expect.stringMatching(/as process \d+\. End it \(kill \d+\)/),
  });
  await embedded.stop();
});

test("without a data directory there is nothing to set back", async () => {
  const options = { log, signal, onProgress: ignore, now: () => stamp };
  const nowhere = { archive, dataDirectory: join(scratch, "nowhere"), ...options };
  await expect(restoreDatabase(nowhere)).rejects.toMatchObject({ code: "not_found" });
  expect(await readdir(scratch)).not.toContain("nowhere");
});

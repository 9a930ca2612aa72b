import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant } from "#test/sim/cloud.ts";

import { attemptAt, discard, fileAt, keep, receive, writeAt, type Draft } from "./disk.ts";
import { deleteFile, findFile, insertInput, setMissing, storedBytes } from "./files.ts";
import { readBytes, readRange, sha256Of } from "./read.ts";
import { orphanGraceMs, storageLoop } from "./sweep.ts";

const { db, observer } = await testDatabase();
const root = mkdtempSync(join(tmpdir(), "millrace-storage-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const { tenantId } = await addTenant(db, "acme");

function sweep(now = Date.now()): Promise<unknown> {
  return storageLoop({ db, root, observer, now: () => now }).pass(new AbortController().signal);
}

async function* chunksOf(...chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

function tooLarge(): Error {
  return new Error("too large");
}

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from("begin");
  throw new Error("cable pulled");
}

function draftOf(bytes: Buffer, bytesMax = 1_000_000): Promise<Draft> {
  return receive(root, chunksOf(bytes.subarray(0, 10), bytes.subarray(10)), { bytesMax, tooLarge });
}

async function stored(bytes: Buffer): Promise<{ tenantId: string; id: string }> {
  const key = { tenantId, id: uuid() };
  const draft = await draftOf(bytes);
  await keep(root, draft, key);
  await db.transaction((tx) => insertInput(tx, { ...key, ...draft, name: "f", at: Date.now() }));
  return key;
}

test("a file is kept whole, with its size and hash, under ids only", async () => {
  const bytes = randomBytes(100_000);
  const key = await stored(bytes);
  expect(await readFile(join(root, "tenants", key.tenantId, key.id))).toEqual(bytes);
  expect((await stat(fileAt(root, key))).mode & 0o777).toBe(0o600);
  expect(await findFile(db, key)).toMatchObject({
    state: "ready",
    sizeBytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  expect(await readBytes(root, key, { from: 10, until: 20 })).toEqual(bytes.subarray(10, 20));
  expect(await readBytes(root, key, { from: 20, until: 20 })).toHaveLength(0);
  for (const id of ["../../etc/passwd", "a", "", `${key.id}/x`, key.id.toUpperCase()]) {
    expect(() => fileAt(root, { ...key, id })).toThrow(/our ids/);
  }
  expect(() => attemptAt(root, "..")).toThrow(/our ids/);
});

test("a stream that breaks or is too long leaves nothing behind", async () => {
  const before = await readdir(join(root, "incoming"));
  await expect(draftOf(randomBytes(100), 99)).rejects.toThrow("too large");
  const limit = { bytesMax: 10, tooLarge };
  await expect(receive(root, broken(), limit)).rejects.toThrow("cable pulled");
  await discard(await draftOf(Buffer.from("unwanted")));
  expect(await readdir(join(root, "incoming"))).toEqual(before);
});

test("writing the same bytes at the same place again changes nothing", async () => {
  const key = { tenantId, id: uuid() };
  const path = fileAt(root, key);
  await writeAt(path, 0, Buffer.from("hello "));
  await writeAt(path, 6, Buffer.from("world, more"));
  await writeAt(path, 6, Buffer.from("world"));
  await writeAt(path, 0, Buffer.from("hello "));
  expect((await readFile(path, "utf8")).slice(0, 11)).toBe("hello world");
  const hash = createHash("sha256").update("hello world").digest("hex");
  expect(await sha256Of(root, key, 11)).toBe(hash);
});

test("a deleted file counts for nothing at once; its bytes go, then its row", async () => {
  const key = await stored(Buffer.from("12345"));
  const before = await storedBytes(db, tenantId);
  await db.transaction((tx) => deleteFile(tx, key));
  expect(await storedBytes(db, tenantId)).toBe(before - 5);
  await sweep();
  await expect(stat(fileAt(root, key))).rejects.toMatchObject({ code: "ENOENT" });
  expect(await findFile(db, key)).toBeUndefined();
});

test("bytes that no row names go after a while, and not while somebody may be writing their row", async () => {
  const key = { tenantId, id: uuid() };
  await keep(root, await draftOf(Buffer.from("orphan")), key);
  const left = await draftOf(Buffer.from("left by a crash"));
  const wanted = await stored(Buffer.from("wanted"));
  await sweep();
  expect((await stat(fileAt(root, key))).size).toBe(6);
  const old = new Date(Date.now() - orphanGraceMs - 1000);
  for (const path of [fileAt(root, key), left.path, fileAt(root, wanted)]) {
    await utimes(path, old, old);
  }
  await sweep();
  for (const path of [fileAt(root, key), left.path]) {
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  }
  expect((await stat(fileAt(root, wanted))).size).toBe(6);
});

test("a row whose bytes are gone is marked, refused with a sentence, and heals", async () => {
  const key = await stored(Buffer.from("precious"));
  rmSync(fileAt(root, key));
  await sweep();
  expect((await findFile(db, key))?.state).toBe("missing");
  await expect(readRange(root, key, { from: 0, until: 8 })).rejects.toMatchObject({
    code: "not_found",
  });
  await writeFile(fileAt(root, key), "precious");
  await sweep();
  expect((await findFile(db, key))?.state).toBe("ready");
  expect(await setMissing(db, key, "back")).toBe(0);
});

test("row-level security keeps one tenant's files from another", async () => {
  const key = await stored(Buffer.from("mine"));
  const other = await addTenant(db, "other");
  expect(await db.tenant(other.tenantId, (tx) => findFile(tx, key))).toBeUndefined();
  expect(await db.tenant(tenantId, (tx) => findFile(tx, key))).toMatchObject({ id: key.id });
  await db.tenant(other.tenantId, (tx) => deleteFile(tx, key));
  expect(await findFile(db, key)).toMatchObject({ state: "ready" });
  await expect(
    db.tenant(other.tenantId, (tx) =>
      tx.execute(sql`insert into stored_file (tenant_id, id, kind, name, size_bytes, state,
        created_at) values (${tenantId}, ${uuid()}, 'input', 'x', 0, 'ready', now())`),
    ),
  ).rejects.toThrow(/row-level security/);
});

/** A disk of 256 KiB; only root can make one. */
function smallDisk(): string | undefined {
  const folder = join(root, "small");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "none", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  afterAll(() => execFileSync("umount", [folder]));
  return folder;
}

const small = smallDisk();

test.skipIf(small === undefined)(
  "on a full disk nothing is kept and no half file stays",
  async () => {
    const place = small ?? "";
    await mkdir(join(place, "incoming"));
    const limit = { bytesMax: 10_000_000, tooLarge };
    const large = chunksOf(randomBytes(100_000), randomBytes(100_000), randomBytes(100_000));
    await expect(receive(place, large, limit)).rejects.toMatchObject({ code: "capacity" });
    expect(await readdir(join(place, "incoming"))).toEqual([]);
    const key = { tenantId, id: uuid() };
    const path = fileAt(place, key);
    await writeAt(path, 0, randomBytes(200_000));
    await expect(writeAt(path, 200_000, randomBytes(100_000))).rejects.toMatchObject({
      code: "capacity",
    });
  },
);

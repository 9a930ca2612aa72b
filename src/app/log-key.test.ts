/** The log's key: made once, kept, and never replaced by another one. */
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { logKey } from "#flow/meter/log-store.ts";
import { formatKey } from "#tlog/keys.ts";
import { testDatabase } from "#test/database.ts";

import { openLogSigner } from "./log-key.ts";

const { db, observer } = await testDatabase();
const folder = await mkdtemp(join(tmpdir(), "millrace-log-key-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const context = { db, observer, now: () => 0 };
const place = { keysDirectory: folder, file: undefined, name: "millrace.example/log" };
const path = join(folder, "metering-log.key");

test("a log's key is made once, for its owner's eyes only, and found again", async () => {
  // Two processes that start at once: one makes it, the other looks again.
  const settled = await Promise.allSettled([
    openLogSigner(context, place),
    openLogSigner(context, place),
  ]);
  expect(settled.some(({ status }) => status === "fulfilled")).toBe(true);
  const [first, again] = [await openLogSigner(context, place), await openLogSigner(context, place)];
  expect(first?.key.name).toBe("millrace.example/log");
  expect(again?.key).toEqual(first?.key);
  expect(await logKey(db)).toBe(first === undefined ? "" : formatKey(first.key));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["metering-log.key"]);
});

test("without its key a log is not signed by another one", async () => {
  await rename(path, `${path}.away`);
  expect(await openLogSigner(context, place)).toBeUndefined();
  const elsewhere = await mkdtemp(join(folder, "other-"));
  expect(await openLogSigner(context, { ...place, keysDirectory: elsewhere })).toBeUndefined();
  expect(await readdir(elsewhere)).toEqual([]);
  await rename(`${path}.away`, path);
  const own = await openLogSigner(context, { ...place, file: path });
  expect(own).toBeDefined();
  expect(await readFile(path, "utf8")).toMatch(/^PRIVATE\+KEY\+millrace\.example\/log\+/);
});

test("a file that is no key is said to be none, and is left as it is", async () => {
  const file = join(folder, "broken");
  await writeFile(file, "PRIVATE+KEY+x\n");
  await chmod(file, 0o600);
  await expect(openLogSigner(context, { ...place, file })).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(await readFile(file, "utf8")).toBe("PRIVATE+KEY+x\n");
});

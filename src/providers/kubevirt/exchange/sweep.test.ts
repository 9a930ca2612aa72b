/** What a control plane that died has left behind goes; nothing else does. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { openExchange } from "./exchange.ts";
import { draftMs, keptMs, sweepExchange } from "./sweep.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(folder);
const { places } = exchange;
const at = Date.now();

async function attempt(agoMs: number): Promise<{ attemptId: string; machineId: string }> {
  const attemptId = uuid();
  const machineId = uuid();
  await exchange.open({
    attemptId,
    tokenSha256: "0".repeat(64),
    logBytesMax: 1,
    resultsBytesMax: 1,
    members: [
      { name: "0", machineId },
      { name: "1", machineId: uuid() },
    ],
  });
  for (const path of [join(places.attempt(attemptId), "attempt.json"), places.attempt(attemptId)]) {
    await aged(path, agoMs);
  }
  return { attemptId, machineId };
}

async function aged(path: string, agoMs: number): Promise<void> {
  const then = new Date(at - agoMs);
  await utimes(path, then, then);
}

const sweep = (known: ReadonlySet<string>, signal = new AbortController().signal) =>
  sweepExchange({ exchange, now: at, signal, known: async () => known });

test("old attempts go unless one of their machines is known; young ones stay whatever is known", async () => {
  const old = await attempt(keptMs + 1000);
  const known = await attempt(keptMs + 1000);
  const young = await attempt(keptMs - 60_000);
  const empty = uuid();
  await mkdir(places.attempt(empty));
  await aged(places.attempt(empty), keptMs + 1000);
  const justMade = uuid();
  await mkdir(places.attempt(justMade));
  const swept = await sweep(new Set([known.machineId]));
  expect(swept).toEqual({ attempts: 2, drafts: 0, full: false });
  const left = await readdir(places.attempts);
  expect(left).not.toContain(old.attemptId);
  expect(left).not.toContain(empty);
  for (const id of [known.attemptId, young.attemptId, justMade]) expect(left).toContain(id);
  expect(await sweep(new Set([known.machineId]))).toMatchObject({ attempts: 0 });
});

test("an old attempt that gives a sign of life is young again", async () => {
  const old = await attempt(keptMs + 1000);
  await exchange.order(old.attemptId, { to: "run" });
  expect(await sweep(new Set())).toMatchObject({ full: false });
  expect(await readdir(places.attempts)).toContain(old.attemptId);
});

test("drafts of writers that died go, and what was being removed; one that is written stays", async () => {
  for (const [name, agoMs] of [
    ["dead", draftMs + 1000],
    ["alive", 1000],
  ] as const) {
    await writeFile(join(places.incoming, name), "half");
    await aged(join(places.incoming, name), agoMs);
  }
  await mkdir(join(places.removed, "x"));
  await writeFile(join(places.removed, "x", "attempt.json"), "");
  expect(await sweep(new Set())).toMatchObject({ drafts: 1 });
  expect(await readdir(places.incoming)).toEqual(["alive"]);
  expect(await readdir(places.removed)).toEqual([]);
});

test("it stops when it is told to, and says that there may be more", async () => {
  const old = await attempt(keptMs + 1000);
  expect(await sweep(new Set(), AbortSignal.abort())).toEqual({
    attempts: 0,
    drafts: 0,
    full: true,
  });
  expect(await readdir(places.attempts)).toContain(old.attemptId);
});

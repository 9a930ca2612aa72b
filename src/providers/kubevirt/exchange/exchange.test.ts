/** The control plane's side of the exchange: on a real folder, also twice, and by two at once. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { memberFiles, openExchange } from "./exchange.ts";
import type { AttemptRecord } from "./record.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-exchange-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(folder);

function attemptOf(token = "t0ken"): AttemptRecord {
  return {
    attemptId: uuid(),
    tokenSha256: createHash("sha256").update(token).digest("hex"),
    logBytesMax: 100,
    resultsBytesMax: 1000,
    members: [
      { name: "0", machineId: uuid() },
      { name: "1", machineId: uuid(), inputsPath: "/srv/inputs.tar" },
    ],
  };
}

test("opened twice, and by two at once, it is one attempt; nothing of the token is on the disk", async () => {
  const attempt = attemptOf();
  const another = await openExchange(folder);
  await Promise.all([exchange.open(attempt), another.open(attempt), exchange.open(attempt)]);
  expect(await readdir(exchange.places.attempt(attempt.attemptId))).toEqual(["attempt.json"]);
  expect(await readdir(exchange.places.incoming)).toEqual([]);
  const { mode } = await stat(join(exchange.places.attempt(attempt.attemptId), "attempt.json"));
  expect(mode & 0o777).toBe(0o600);
});

test("nothing is here before an agent brought something, nor of who is not a member", async () => {
  const attempt = attemptOf();
  const { attemptId } = attempt;
  const all = { offset: 0, bytesMax: 100 };
  for (const opened of [false, true]) {
    if (opened) await exchange.open(attempt);
    for (const member of ["0", "7"]) {
      expect(await exchange.logBytes(attemptId, member)).toBe(0);
      expect(await exchange.readLog(attemptId, member, all)).toHaveLength(0);
      expect(await exchange.results(attemptId, member)).toBeUndefined();
      expect(await exchange.report(attemptId, member)).toBeUndefined();
    }
  }
});

test("a log is read by ranges; results are a stream, or the reason why there are none", async () => {
  const attempt = attemptOf();
  const { attemptId, members } = attempt;
  await exchange.open(attempt);
  const [first, second] = members.map(({ machineId }) =>
    memberFiles(exchange.places, attemptId, machineId),
  );
  await writeFile(first?.log ?? "", "0123456789");
  await writeFile(first?.results ?? "", "an archive");
  await writeFile(second?.report ?? "", '{"logBytes":0,"results":"too_large"}');
  expect(await exchange.logBytes(attemptId, "0")).toBe(10);
  const range = { offset: 4, bytesMax: 3 };
  expect((await exchange.readLog(attemptId, "0", range)).toString()).toBe("456");
  expect(await exchange.readLog(attemptId, "0", { offset: 10, bytesMax: 3 })).toHaveLength(0);
  const stream = await exchange.results(attemptId, "0");
  expect(Buffer.concat((await stream?.toArray()) ?? []).toString()).toBe("an archive");
  await expect(exchange.results(attemptId, "1")).rejects.toMatchObject({
    code: "refused",
    message: "The results are more than 1000 bytes, the most that is kept of an attempt.",
  });
});

test("orders replace one another; an attempt that is not here takes none, and is over by itself", async () => {
  const attempt = attemptOf();
  const { attemptId } = attempt;
  await expect(exchange.order(attemptId, { to: "run" })).rejects.toMatchObject({
    code: "not_found",
  });
  await exchange.over(attemptId);
  await exchange.open(attempt);
  await exchange.order(attemptId, { to: "interrupt", graceSeconds: 30 });
  await exchange.order(attemptId, { to: "interrupt", graceSeconds: 30 });
  await exchange.order(attemptId, { to: "run" });
  await exchange.over(attemptId);
  await exchange.over(attemptId);
  expect((await readdir(exchange.places.attempt(attemptId))).toSorted()).toEqual([
    "attempt.json",
    "order.json",
    "over",
  ]);
  expect(await readdir(exchange.places.incoming)).toEqual([]);
});

test("removed is removed whole, also twice, and nothing else is", async () => {
  const attempt = attemptOf();
  const other = attemptOf();
  await exchange.open(attempt);
  await exchange.open(other);
  await Promise.all([exchange.remove(attempt.attemptId), exchange.remove(attempt.attemptId)]);
  await exchange.remove(attempt.attemptId);
  expect(await readdir(exchange.places.attempts)).not.toContain(attempt.attemptId);
  expect(await readdir(exchange.places.attempts)).toContain(other.attemptId);
  expect(await readdir(exchange.places.removed)).toEqual([]);
});

test("names that are not ours reach no path", async () => {
  for (const attemptId of ["..", "", "a/b", uuid().toUpperCase()]) {
    await expect(exchange.remove(attemptId)).rejects.toThrow(/our ids/);
    await expect(exchange.open({ ...attemptOf(), attemptId })).rejects.toThrow(/our ids/);
  }
  const [member] = attemptOf().members;
  const wrong = [
    [],
    [{ ...member, name: "../x" }],
    [{ name: "0", machineId: "../x" }],
    [member, member],
    [{ name: "0", machineId: uuid(), inputsPath: "inputs" }],
  ];
  for (const members of wrong) {
    // @ts-expect-error -- what a caller with a bug would hand over
    await expect(exchange.open({ ...attemptOf(), members })).rejects.toBeInstanceOf(Error);
  }
});

/** How far acts are. */
import { expect, test } from "vitest";

import { read } from "./seen.ts";
import { migrationProgress, restoreProgress, snapshotProgress } from "./snapshot.ts";

const second = (seconds: number) => Date.parse("2026-11-21T01:00:00Z") + seconds * 1000;
const stamp = (seconds: number) => new Date(second(seconds)).toISOString().replace(".000Z", "Z");

const snapshot = (status: object) => read.snapshot({ metadata: { name: "s" }, status });
const restore = (status: object) =>
  restoreProgress(read.restore({ metadata: { name: "r" }, status })).state;
const move = (status: object) =>
  migrationProgress(read.migration({ metadata: { name: "m" }, spec: {}, status }));

test("H-29: a snapshot without a disk is not done, however ready it is", () => {
  const ready = { phase: "Succeeded", readyToUse: true, creationTime: stamp(5) };
  const held = (includedVolumes: readonly string[]) =>
    snapshotProgress(snapshot({ ...ready, snapshotVolumes: { includedVolumes } }), ["root"]);
  expect(held(["root"])).toEqual({ state: "done", at: second(5) });
  expect(held([])).toMatchObject({ state: "failed", reason: { code: "snapshot_without_disk" } });
  expect(snapshotProgress(snapshot({ phase: "InProgress" }), ["root"])).toEqual({
    state: "running",
  });
  const failed = snapshot({ phase: "Failed", error: { message: "no driver" } });
  expect(snapshotProgress(failed, ["root"])).toMatchObject({
    reason: { message: expect.stringContaining("no driver") },
  });
});

test("H-29: how far a restore and a move are", () => {
  const failure = { type: "Failure", status: "True", message: "target not stopped" };
  expect([restore({}), restore({ complete: true }), restore({ conditions: [failure] })]).toEqual([
    "running",
    "done",
    "failed",
  ]);
  expect(move({ phase: "Running" }).state).toBe("running");
  expect(move({ phase: "Succeeded" }).state).toBe("done");
  const conditions = [{ type: "migrationRejectedByResourceQuota", status: "True" }];
  expect(move({ phase: "Failed", conditions })).toMatchObject({
    reason: { message: expect.stringContaining("quota has no room") },
  });
});

/** Transitions for metering, and how far acts are. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { read, type SeenInstance } from "./seen.ts";
import { migrationProgress, restoreProgress, snapshotProgress } from "./snapshot.ts";
import { crossCheck, runsOf, transitionsOf } from "./transitions.ts";

const id = "00000000-0000-4000-8000-000000000001";
const second = (seconds: number) => Date.parse("2026-11-21T01:00:00Z") + seconds * 1000;
const stamp = (seconds: number) => new Date(second(seconds)).toISOString().replace(".000Z", "Z");

function instance(phases: readonly (readonly [string, number])[], more: object = {}): SeenInstance {
  return read.instance({
    metadata: { name: `m-${id}`, namespace: "n", uid: "u1", resourceVersion: "42", ...more },
    spec: { domain: {} },
    status: {
      phase: phases.at(-1)?.[0] ?? "",
      nodeName: "node-2",
      interfaces: [{ ipAddress: "10.0.0.7" }],
      conditions: [{ type: "AgentConnected", status: "True", lastTransitionTime: stamp(20) }],
      phaseTransitionTimestamps: phases.map(([phase, at]) => ({
        phase,
        phaseTransitionTimestamp: stamp(at),
      })),
    },
  });
}

const snapshot = (status: object) => read.snapshot({ metadata: { name: "s" }, status });
const restore = (status: object) =>
  restoreProgress(read.restore({ metadata: { name: "r" }, status })).state;
const move = (status: object) =>
  migrationProgress(read.migration({ metadata: { name: "m" }, spec: {}, status }));

test("a run from its phases, with the version that showed them", () => {
  const transitions = transitionsOf(
    instance([
      ["Pending", 1],
      ["Running", 10],
      ["Succeeded", 50],
    ]),
  );
  expect(transitions).toMatchObject([
    { to: "running", at: second(10), resourceVersion: "42" },
    { to: "ended", at: second(50), by: "Succeeded" },
  ]);
  expect(runsOf(transitions)).toEqual([{ run: "u1", from: second(10), until: second(50) }]);
});

test("a machine that vanished while it ran ended when it was told to, not when it was missed", () => {
  const deleted = instance([["Running", 10]], { deletionTimestamp: stamp(60) });
  expect(runsOf(transitionsOf(deleted, second(300)))).toEqual([
    { run: "u1", from: second(10), until: second(60) },
  ]);
  const vanished = instance([["Running", 10]]);
  expect(runsOf(transitionsOf(vanished, second(300)))).toEqual([
    { run: "u1", from: second(10), until: second(300) },
  ]);
});

test("whatever a watcher missed or saw twice, the seconds are the same", () => {
  const runs = fc.array(
    fc.record({ start: fc.integer({ min: 1, max: 500 }), lasts: fc.integer({ min: 0, max: 500 }) }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(runs, fc.array(fc.nat(), { maxLength: 20 }), (made, picks) => {
      let at = 0;
      const versions: SeenInstance[] = [];
      const last = made.map(({ start, lasts }, index) => {
        const from = at + start;
        at = from + lasts;
        const phases = [
          ["Pending", from - 1],
          ["Running", from],
          ["Succeeded", at],
        ] as const;
        const meta = { uid: `u${index}` };
        for (let shown = 1; shown <= 3; shown += 1) {
          versions.push(instance(phases.slice(0, shown), { ...meta, resourceVersion: `${shown}` }));
        }
        return instance(phases, meta);
      });
      // Any of the versions, in any order and as often as it likes, and at the end the last of each.
      const watched = picks.flatMap((pick) => versions[pick % versions.length] ?? []);
      const seen = runsOf([...watched, ...last].flatMap((each) => transitionsOf(each)));
      const whole = runsOf(last.flatMap((each) => transitionsOf(each)));
      expect(seen).toEqual(whole);
      const billed = seen.reduce((sum, run) => sum + ((run.until ?? run.from) - run.from), 0);
      expect(billed).toBe(made.reduce((sum, { lasts }) => sum + lasts * 1000, 0));
    }),
  );
});

test("KubeVirt's own metric is held against ours", () => {
  expect(crossCheck(second(10), second(11) / 1000, 2000)).toEqual({
    agrees: true,
    differenceMs: 1000,
  });
  expect(crossCheck(second(10), second(20) / 1000, 2000).agrees).toBe(false);
});

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

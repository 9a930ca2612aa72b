import { expect, test } from "vitest";

import { failedWith, leaseView, now, off, pending, type Given } from "#test/lease-view.ts";

import { decide } from "./decide.ts";
import { restMaxMs } from "./pace.ts";
import type { Pace, Step } from "./view.ts";

const none: Pace = { keys: 0, of: null, inRow: 0, notBefore: 0 };
const released = { request: { wanted: "released" }, instance: { state: "deleting" } } as const;

function deleting(key: string, pace: Pace, given: Given = {}): Step {
  const call = pending("delete", { key });
  return decide(
    leaseView({ ...released, ...given, instance: { ...released.instance, call, pace } }),
  );
}

test("each failure takes a new key and a longer rest, up to a bound", () => {
  let pace = none;
  let key = "i:delete";
  let at = now;
  const rests: number[] = [];
  for (let failures = 1; failures <= 9; failures += 1) {
    const failed = deleting(key, pace, { callStatus: failedWith("unavailable"), at });
    expect(failed.call).toBeUndefined();
    pace = failed.patch.pace ?? none;
    rests.push(pace.notBefore - at);
    at = pace.notBefore;
    const next = decide(leaseView({ ...released, instance: { ...released.instance, pace }, at }));
    expect(next.call?.key).toBe(`i:delete~${failures}`);
    key = next.call?.key ?? "";
  }
  expect(rests.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
  expect(rests.at(-1)).toBe(restMaxMs);
});

test("while it rests nothing is called, and a look is due when the rest is over", () => {
  const pace = { keys: 1, of: "i:delete", inRow: 1, notBefore: now + 500 };
  const resting = decide(leaseView({ ...released, instance: { ...released.instance, pace } }));
  expect(resting).toMatchObject({ state: "deleting", lookAgainAt: now + 500 });
  expect(resting.call).toBeUndefined();
});

test("a rest of one work holds up no other", () => {
  const pace = { keys: 1, of: "i:start:1", inRow: 5, notBefore: now + 9_000 };
  const release = decide(leaseView({ request: { wanted: "released" }, instance: { pace } }));
  expect(release.call).toMatchObject({ kind: "delete", key: "i:delete~1" });
});

test("a clock that was set back does not make the rest an hour", () => {
  const pace = { keys: 1, of: "i:delete", inRow: 1, notBefore: now + 3_600_000 };
  const due = decide(leaseView({ ...released, instance: { ...released.instance, pace } }));
  expect(due.call).toMatchObject({ kind: "delete" });
});

test("what nobody has a record of is repeated at once under the same key, then with rests", () => {
  const callStatus = { state: "unknown" } as const;
  const first = deleting("i:delete", none, { callStatus });
  expect(first.call?.key).toBe("i:delete");
  const second = deleting("i:delete", first.patch.pace ?? none, { callStatus });
  expect(second.call).toBeUndefined();
  expect(second.lookAgainAt).toBe(now + 500);
});

test("a call that ended without what it was for is made again under a new key", () => {
  const done = deleting("i:delete", none, { callStatus: { state: "done" } });
  expect(done.patch.pace).toMatchObject({ keys: 1, inRow: 1 });
});

test("a success ends the row, and keeps the keys that are used up", () => {
  const pace = { keys: 3, of: "i:1:stop", inRow: 3, notBefore: now };
  const call = pending("shutdown", { key: "i:1:stop~3" });
  const step = decide(
    leaseView({
      machine: off(now - 5, "requested"),
      instance: { state: "stopping", call, pace },
      request: { wanted: "stopped" },
      callStatus: { state: "done" },
    }),
  );
  expect(step.patch.pace).toEqual({ keys: 3, of: null, inRow: 0, notBefore: 0 });
});

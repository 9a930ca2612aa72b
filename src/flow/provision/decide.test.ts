import { expect, test } from "vitest";

import {
  failedWith,
  fresh,
  leaseView,
  now,
  off,
  operation,
  pending,
  running,
  unseen,
  type Given,
} from "#test/lease-view.ts";

import { decide, missingGraceMs } from "./decide.ts";
import type { InstanceState, Step } from "./view.ts";

function step(given: Given = {}): Step {
  return decide(leaseView(given));
}

test("a lease that runs as it should asks for nothing", () => {
  expect(step()).toMatchObject({ state: "running", transitions: [], events: [] });
  expect(step().call).toBeUndefined();
});

test("what is not there yet is created; what is not wanted any more never is", () => {
  expect(step({ ...fresh, machine: "absent" }).call).toMatchObject({
    kind: "create",
    key: "i:create",
  });
  const released = step({ ...fresh, machine: "absent", request: { wanted: "released" } });
  expect(released).toMatchObject({ state: "gone", placement: "none", request: { set: "ended" } });
  expect(released.call).toBeUndefined();
});

test("a create that failed while the lease was released is not repeated", () => {
  const given: Given = {
    ...fresh,
    instance: { ...fresh.instance, call: pending("create"), stateSince: now },
    machine: "absent",
    request: { wanted: "released" },
    callStatus: failedWith("unavailable"),
  };
  expect(step(given)).toMatchObject({ state: "gone" });
});

const states: readonly InstanceState[] = [
  "creating",
  "running",
  "stopping",
  "stopped",
  "starting",
  "deleting",
];

test.each(states)("%s: what cannot be seen changes nothing", (state) => {
  for (const wanted of ["running", "stopped", "released"] as const) {
    const left = step({ machine: "unknown", instance: { state }, request: { wanted } });
    expect(left).toMatchObject({ state, transitions: [], endedOperations: [] });
    expect(left.call).toBeUndefined();
  }
});

test.each(states)("%s: a release of what is there deletes it", (state) => {
  for (const machine of [running, off(), unseen]) {
    const gone = step({ machine, instance: { state }, request: { wanted: "released" } });
    expect(gone).toMatchObject({ state: "deleting", call: { kind: "delete", key: "i:delete" } });
  }
});

test("a call that is under way is waited for, and evidence is taken meanwhile", () => {
  const call = pending("reboot");
  const waiting = step({ machine: off(), instance: { call }, callStatus: { state: "running" } });
  expect(waiting.call).toBeUndefined();
  expect(waiting.transitions).toMatchObject([{ kind: "stopped", at: now - 1_000 }]);
  expect(step({ instance: { call } }).call).toBeUndefined();
});

test("a release overtakes a call that hangs, once there is something to delete", () => {
  const given = { instance: { call: pending("reboot") }, request: { wanted: "released" } } as const;
  expect(step(given).call).toMatchObject({ kind: "delete" });
  expect(step({ ...given, machine: "absent" }).call).toBeUndefined();
});

test("missing is not stopped: it takes a grace period and a second look", () => {
  const first = step({ machine: "absent" });
  expect(first).toMatchObject({ state: "running", transitions: [], patch: { missingSince: now } });
  const missing = (at: number): Step =>
    step({ machine: "absent", instance: { missingSince: now }, at });
  expect(missing(now + missingGraceMs - 1)).toMatchObject({ state: "running", transitions: [] });
  const lost = missing(now + missingGraceMs);
  expect(lost).toMatchObject({
    state: "gone",
    placement: "none",
    request: { set: "ended", reason: { code: "lost" } },
  });
  expect(lost.transitions.map(({ kind }) => kind)).toEqual(["stopped", "deleted"]);
});

test("what a lost machine held is metered to when it was seen last, however late that is known", () => {
  const hour = 3_600_000;
  const first = step({ machine: "absent", lastSeenAt: now + 5_000, at: now + 48 * hour });
  expect(first.patch).toMatchObject({ missingSince: now + 48 * hour, seenUntil: now + 5_000 });
  const missing = { missingSince: now + 48 * hour, seenUntil: now + 5_000 };
  const at = now + 48 * hour + missingGraceMs;
  const lost = step({ machine: "absent", instance: missing, at });
  expect(lost.transitions.map((transition) => transition.at)).toEqual([now + 5_000, now + 5_000]);
  // Never before what is written down already, and never later than it was missed.
  const written = step({
    machine: "absent",
    instance: missing,
    metering: { lastAt: now + hour },
    at,
  });
  expect(written.transitions[0]?.at).toBe(now + hour);
  const unknown = step({ machine: "absent", instance: { missingSince: now + 7 }, at });
  expect(unknown.transitions[0]?.at).toBe(now + 7);
  // By a clock that was set back it cannot have been seen later than now.
  expect(step({ machine: "absent", lastSeenAt: now + hour }).patch).toMatchObject({
    seenUntil: now,
  });
});

test("a machine that is seen again is not missing any more", () => {
  expect(step({ instance: { missingSince: now - 9_999 } }).patch).toMatchObject({
    missingSince: null,
  });
});

test("a clock that was set back begins the grace period anew, rather than make it an hour", () => {
  const later = step({ machine: "absent", instance: { missingSince: now + 3_600_000 } });
  expect(later).toMatchObject({ state: "running", patch: { missingSince: now } });
});

test("when it is gone, the books are closed, the place is free and every operation has an end", () => {
  const gone = step({
    machine: "absent",
    lastSeenAt: now,
    instance: { state: "deleting" },
    request: { wanted: "released" },
    operations: [operation("release"), operation("snapshot")],
  });
  expect(gone.transitions).toMatchObject([
    { kind: "stopped", at: now },
    { kind: "deleted", at: now },
  ]);
  expect(gone.endedOperations.map(({ outcome }) => outcome.state)).toEqual(["succeeded", "failed"]);
  expect(gone).toMatchObject({ state: "gone", placement: "none", request: { set: "ended" } });
});

test("what was released is held to when it was seen last, however long nobody looked", () => {
  const instance = { state: "deleting", stateSince: now - 50_000 } as const;
  const request = { wanted: "released" } as const;
  const at = (lastSeenAt: number | undefined): unknown[] =>
    step({
      machine: "absent",
      instance,
      request,
      ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
    }).transitions.map((each) => each.at);
  expect(at(now - 30_000)).toEqual([now - 30_000, now - 30_000]);
  expect(at(undefined)).toEqual([now - 50_000, now - 50_000]);
});

test("what is gone stays gone", () => {
  const after = step({ instance: { state: "gone" }, request: { wanted: "released" } });
  expect(after).toMatchObject({ state: "gone", transitions: [], events: [] });
  expect(after.call).toBeUndefined();
});

test("what the platform refuses to make ends with its words, and is cleared away", () => {
  const given: Given = {
    ...fresh,
    instance: { ...fresh.instance, call: pending("create") },
    machine: "absent",
    operations: [operation("create")],
    callStatus: failedWith("refused"),
  };
  expect(step(given)).toMatchObject({
    state: "deleting",
    call: { kind: "delete" },
    request: { set: "ended", reason: { code: "refused", message: "no" } },
    endedOperations: [{ outcome: { state: "failed" } }],
  });
});

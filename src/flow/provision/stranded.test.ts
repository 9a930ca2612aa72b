import { expect, test } from "vitest";

import type { Workload } from "#flow/admit/rows.ts";
import { leaseView, now, running, unseen, type Given } from "#test/lease-view.ts";

import { decide, missingGraceMs } from "./decide.ts";
import type { View } from "./view.ts";

const downSince = now - 400_000;
const startedAt = now - 3_600_000;
const workload: Workload = {
  command: ["train"],
  script: null,
  environment: {},
  inputs: [],
  framework: "none",
  timeLimitSeconds: 259_200,
  platformRetriesMax: 0,
  preemptible: false,
  checkpoint: null,
};

/** An attempt that ran an hour when its host went down, and has no retry left. */
function onDownHost(given: Given = {}, change: Partial<View> = {}): View {
  const view = leaseView({ machine: unseen, ...given });
  return {
    ...view,
    instance: {
      ...view.instance,
      kind: "job",
      workload: { state: "running", startedAt, logBytes: 7 },
      metering: { ...view.instance.metering, lastAt: startedAt, workloadStarted: true },
      ...given.instance,
    },
    request: { ...view.request, workload, ...given.request },
    host: { name: "h1", nativeId: "h1", downSince },
    ...change,
  };
}

test("S-09, S-10: an attempt whose host has been down for long is given up, free, and no retry", () => {
  for (const machine of [unseen, "unknown"] as const) {
    const step = decide(onDownHost({ machine }));
    expect(step).toMatchObject({
      state: "gone",
      placement: "none",
      patch: { workload: { state: "ended", end: { kind: "platform_fault", moved: true } } },
      request: { set: "next-turn", reason: { code: "moved" }, heldUntil: null },
    });
    expect(step.call).toBeUndefined();
    // What it held ended when the host went down, not when that was found out.
    expect(step.transitions.map(({ kind, at }) => [kind, at])).toEqual([
      ["workload_ended", downSince],
      ["stopped", downSince],
      ["deleted", downSince],
    ]);
    expect(step.events.map(({ kind }) => kind)).toEqual(["host-down"]);
  }
});

test("S-16: a member of a gang ends so, and its gang decides for all", () => {
  const step = decide(onDownHost({ request: { inGang: true } }));
  expect(step).toMatchObject({
    state: "gone",
    patch: { workload: { end: { kind: "platform_fault", moved: true } } },
    request: { set: "as-its-gang" },
  });
});

test("a host that comes back soon costs nobody anything", () => {
  const step = decide(
    onDownHost({}, { host: { name: "h1", nativeId: "h1", downSince: now - 299_000 } }),
  );
  expect(step.state).toBe("running");
  expect(step.request).toBeUndefined();
});

test("who can be seen stays, whatever is said of his host", () => {
  expect(decide(onDownHost({ machine: running })).state).toBe("running");
  // Not listed by a platform that lists all: it is lost, by the rules for that.
  const lost = decide(
    onDownHost({ machine: "absent", instance: { missingSince: now - missingGraceMs } }),
  );
  expect(lost).toMatchObject({ state: "gone", patch: { reason: { code: "lost" } } });
});

test("one that was canceled meanwhile ends, and is billed to when its host went down", () => {
  const step = decide(onDownHost({ request: { wanted: "released" } }));
  expect(step).toMatchObject({
    state: "gone",
    patch: { workload: { end: { kind: "canceled" } } },
    request: { set: "ended", reason: null },
  });
  expect(step.transitions.at(-1)?.at).toBe(downSince);
});

test("one that had ended by itself is waited for until its results were given up", () => {
  const ended = {
    state: "ended",
    startedAt,
    endedAt: downSince - 1000,
    end: { kind: "exited", exitCode: 0 },
    logBytes: 7,
  } as const;
  expect(decide(onDownHost({ instance: { workload: ended } })).state).not.toBe("gone");
  const given = decide(onDownHost({ instance: { workload: ended, collected: true } }));
  expect(given).toMatchObject({ state: "gone", request: { set: "ended", reason: null } });
  expect(given.patch.workload?.end).toEqual({ kind: "exited", exitCode: 0 });
});

test("a lease stays where its disk is, for as long as it takes", () => {
  const view = leaseView({ machine: unseen });
  const step = decide({
    ...view,
    host: { name: "h1", nativeId: "h1", downSince: now - 30 * 86_400_000 },
  });
  expect(step.state).toBe("running");
  expect(step.request).toBeUndefined();
});

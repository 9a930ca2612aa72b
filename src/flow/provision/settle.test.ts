import { expect, test } from "vitest";

import { failedWith, leaseView, now, operation, pending, type Given } from "#test/lease-view.ts";

import {
  callPatienceMs,
  createRetriesMs,
  createUnansweredMax,
  settleCall,
  type Settled,
} from "./settle.ts";
import type { CallKind } from "./view.ts";

const kinds: readonly CallKind[] = [
  "create",
  "start",
  "shutdown",
  "reboot",
  "resize",
  "snapshot",
  "revert",
  "snapshot-delete",
  "delete",
];

function settle(kind: CallKind, given: Given = {}): Settled {
  const call = pending(kind, { operationId: "op-reboot" });
  return settleCall(
    leaseView({
      operations: [operation("reboot")],
      ...given,
      instance: { call, stateSince: now, ...given.instance },
    }),
  );
}

test("without a call there is nothing to wait for", () => {
  expect(settleCall(leaseView())).toMatchObject({ outcome: "go-on" });
});

test.each(kinds)("%s: it is waited for while it runs or cannot be asked about", (kind) => {
  expect(settle(kind)).toEqual({ outcome: "wait" });
  expect(settle(kind, { callStatus: { state: "running" } })).toEqual({ outcome: "wait" });
});

test.each(kinds)("%s: a call that never ends is looked past in the end", (kind) => {
  const late = { callStatus: { state: "running" }, at: now + callPatienceMs + 1 } as const;
  expect(settle(kind, late)).toMatchObject({ outcome: "go-on" });
});

test.each(kinds)("%s: where the platform has no record, the machine decides", (kind) => {
  const settled = settle(kind, { callStatus: { state: "unknown" } });
  expect(settled).toEqual({ outcome: "go-on", endedOperations: [], events: [] });
});

test.each([
  ["create", 0],
  ["start", 0],
  ["shutdown", 0],
  ["delete", 0],
  ["reboot", 1],
  ["resize", 1],
  ["snapshot", 1],
  ["revert", 1],
  ["snapshot-delete", 1],
] as const)(
  "%s: done ends %i operations; the others end with what the machine shows",
  (kind, ends) => {
    const settled = settle(kind, { callStatus: { state: "done", note: "at the next start" } });
    expect(settled).toMatchObject({ outcome: "go-on" });
    const ended = settled.outcome === "go-on" ? settled.endedOperations : [];
    expect(ended).toHaveLength(ends);
    expect(ended.every(({ outcome }) => outcome.state === "succeeded")).toBe(true);
  },
);

const inRow = (times: number) => ({ keys: times, of: "i:create", inRow: times, notBefore: 0 });

test("create: no capacity is tried again for a while, then given up", () => {
  const callStatus = failedWith("capacity");
  expect(settle("create", { callStatus })).toMatchObject({ outcome: "go-on" });
  expect(settle("create", { callStatus, at: now + createRetriesMs })).toMatchObject({
    outcome: "give-up",
    reason: { code: "capacity" },
  });
});

test.each(["unavailable", "throttled"] as const)(
  "create: %s is tried again, and given up only after so many in a row and so long",
  (code) => {
    const callStatus = failedWith(code);
    const late = { callStatus, at: now + createRetriesMs };
    const often = { pace: inRow(createUnansweredMax) };
    expect(settle("create", { callStatus })).toMatchObject({ outcome: "go-on" });
    expect(settle("create", { callStatus, instance: often })).toMatchObject({ outcome: "go-on" });
    // It waited an hour for the platform, which is busy now that it is back.
    expect(settle("create", late)).toMatchObject({ outcome: "go-on" });
    expect(settle("create", { ...late, instance: often })).toMatchObject({
      outcome: "give-up",
      reason: { code },
    });
  },
);

test.each(["refused", "not_found", "unknown"] as const)(
  "create: %s is given up at once",
  (code) => {
    expect(settle("create", { callStatus: failedWith(code) })).toMatchObject({
      outcome: "give-up",
    });
  },
);

test.each(["start", "shutdown", "delete"] as const)(
  "%s: the wish stands after a failure, and is said once in a row",
  (kind) => {
    const failed = settle(kind, { callStatus: failedWith("unavailable") });
    expect(failed).toMatchObject({
      outcome: "go-on",
      endedOperations: [],
      events: [{ kind: "platform-error" }],
    });
    const pace = { keys: 1, of: `i:${kind}`, inRow: 1, notBefore: 0 };
    const again = settle(kind, { callStatus: failedWith("unavailable"), instance: { pace } });
    expect(again).toMatchObject({ events: [] });
    expect(settle(kind, { callStatus: failedWith("refused") })).toMatchObject({
      endedOperations: [{ outcome: { state: "failed", reason: { code: "refused" } } }],
    });
  },
);

test.each(["reboot", "resize", "snapshot", "revert", "snapshot-delete"] as const)(
  "%s: a failure ends the operation with the platform's words",
  (kind) => {
    expect(settle(kind, { callStatus: failedWith("unavailable") })).toMatchObject({
      outcome: "go-on",
      endedOperations: [{ outcome: { state: "failed", reason: { message: "no" } } }],
    });
  },
);

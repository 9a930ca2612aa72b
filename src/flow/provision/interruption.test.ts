/** What an attempt that is told to end does, and what becomes of its job. */
import { expect, test } from "vitest";

import { leaseView } from "#test/lease-view.ts";

import {
  afterAttempt,
  evictedEnd,
  interruptCall,
  interruptedEnd,
  interruptionWall,
  toldBy,
} from "./interruption.ts";
import type { InterruptionView, Step, View } from "./view.ts";

const now = 1_000_000;
const told: InterruptionView = {
  id: "p",
  cause: "preemption",
  askedAt: now - 10_000,
  noticeUntil: now + 50_000,
  toldAt: null,
  calledOff: false,
  takenBackAt: null,
  reason: { code: "preempted", message: "It made room." },
};
const step: Step = {
  state: "running",
  patch: {},
  transitions: [],
  endedOperations: [],
  events: [],
};

/** Of a job whose program runs. */
function viewOf(interruption: InterruptionView | null, change: Partial<View> = {}): View {
  const lease = leaseView();
  return { ...lease, instance: { ...lease.instance, kind: "job" }, interruption, now, ...change };
}

function callOf(interruption: InterruptionView | null, sofar: Partial<Step> = {}): unknown {
  const { sight } = leaseView();
  if (sight.seen !== "machine") throw new Error("a lease's view shows its machine");
  const workload = { state: "running", startedAt: now - 60_000, logBytes: 0 } as const;
  const machine = { ...sight.machine, workload };
  return interruptCall(viewOf(interruption), { ...step, ...sofar }, machine).call;
}

test("S-05: a guest is told once, with a key and a grace that a repeat has too", () => {
  const call = { kind: "interrupt", key: "p:interrupt", how: { to: "end", graceSeconds: 60 } };
  expect(callOf(told)).toMatchObject(call);
  expect(callOf({ ...told, toldAt: now })).toBeUndefined();
  expect(callOf(told, { told: { id: "p", what: "interrupt" } })).toBeUndefined();
  expect(callOf(null)).toBeUndefined();
  expect(callOf({ ...told, noticeUntil: now })).toBeUndefined();
});

test("S-05: what is called off is taken back where the guest knew of it, and only there", () => {
  const off = { ...told, calledOff: true };
  expect(callOf(off)).toBeUndefined();
  expect(callOf({ ...off, toldAt: now })).toMatchObject({ kind: "go-on", key: "p:go-on" });
  expect(callOf(off, { told: { id: "p", what: "interrupt" } })).toMatchObject({ kind: "go-on" });
  expect(callOf({ ...off, toldAt: now, takenBackAt: now })).toBeUndefined();
});

test("S-05: that a call is done says that the guest knows; that it failed says nothing", () => {
  const view = viewOf(told);
  const call = { key: "p:interrupt", kind: "interrupt", native: null, operationId: null } as const;
  const pending = { ...view, instance: { ...view.instance, call: { ...call, issuedAt: now } } };
  expect(toldBy({ ...pending, callStatus: { state: "done" } })).toEqual({
    told: { id: "p", what: "interrupt" },
  });
  expect(toldBy({ ...pending, callStatus: { state: "unknown" } })).toEqual({});
  expect(toldBy({ ...view, callStatus: { state: "done" } })).toEqual({});
});

test("S-05: a guest that does not end its program in the notice has it ended", () => {
  expect(interruptionWall(null)).toBe(Infinity);
  expect(interruptionWall({ ...told, calledOff: true })).toBe(Infinity);
  expect(interruptionWall(told)).toBe(told.noticeUntil + 30_000);
  expect(interruptionWall({ ...told, toldAt: now })).toBeGreaterThan(now + 60_000);
});

test("S-10, R-PAYG-7: what is preempted is billed, what is moved is a fault, what is canceled is canceled", () => {
  expect(interruptedEnd(viewOf(told))).toEqual({ kind: "preempted" });
  const moved = { kind: "platform_fault", detail: "It made room.", moved: true };
  expect(interruptedEnd(viewOf({ ...told, cause: "migration" }))).toEqual(moved);
  const view = viewOf(told);
  const canceled = { ...view, request: { ...view.request, wanted: "released" as const } };
  expect(interruptedEnd(canceled)).toEqual({ kind: "canceled" });
  expect(interruptedEnd(viewOf(null)).kind).toBe("platform_fault");
});

const workload = {
  command: ["x"],
  script: null,
  environment: {},
  inputs: [],
  framework: "none" as const,
  timeLimitSeconds: 60,
  platformRetriesMax: 3,
  preemptible: true,
  checkpoint: null,
};

function after(
  faultsBefore: number,
  end: Parameters<typeof afterAttempt>[1],
): ReturnType<typeof afterAttempt> {
  const view = viewOf(told, { faultsBefore });
  return afterAttempt({ ...view, request: { ...view.request, workload } }, end);
}

test("S-09: only faults of ours are retried, fewer times than allowed, with a rest that grows", () => {
  const fault = { kind: "platform_fault", detail: "dead" } as const;
  expect(after(0, fault)).toMatchObject({ set: "next-turn", heldUntil: null });
  expect(after(1, fault)).toMatchObject({ set: "next-turn", heldUntil: now + 5_000 });
  expect(after(2, fault)).toMatchObject({ set: "next-turn", heldUntil: now + 10_000 });
  expect(after(3, fault)).toMatchObject({ set: "ended", reason: { code: "platform_fault" } });
  // Neither of these is a retry.
  expect(after(3, { ...fault, moved: true })).toMatchObject({ set: "next-turn", heldUntil: null });
  expect(after(3, { kind: "preempted" })).toMatchObject({ set: "next-turn" });
  for (const end of [{ kind: "exited", exitCode: 1 }, { kind: "timed_out" }] as const) {
    expect(after(0, end)).toEqual({ set: "ended", reason: null });
  }
});

test.each([
  ["preempted", { kind: "preempted", detail: "Why." }],
  ["reclaimed", { kind: "preempted", detail: "Why." }],
  ["node", { kind: "platform_fault", detail: "Why.", moved: true }],
  ["queue", { kind: "platform_fault", detail: "Why.", moved: true }],
] as const)(
  "R-PAYG-7: what the platform's own queue takes away (%s) is billed or free as its cause says, and no retry",
  (by, called) => {
    const end = { kind: "evicted", by, detail: "Why." } as const;
    expect(evictedEnd(viewOf(null), end)).toEqual(called);
    const next = after(3, called);
    expect(next).toMatchObject({ set: "next-turn" });
    expect(next).toHaveProperty("reason.message", expect.stringContaining("Why."));
    // A cancel keeps what was billable billed, and makes nothing that was free so.
    const view = viewOf(null);
    const canceled = { ...view, request: { ...view.request, wanted: "released" as const } };
    const isBilled = called.kind === "preempted";
    expect(evictedEnd(canceled, end)).toEqual(isBilled ? { kind: "canceled" } : called);
  },
);

/** What becomes of a gang when something happens to one of its members. */
import { expect, test } from "vitest";

import { decideGang, type Gang, type GangMember } from "./gang.ts";
import type { AttemptEnd } from "./view.ts";

const now = Date.UTC(2026, 4, 4);
const good: AttemptEnd = { kind: "exited", exitCode: 0 };
const bad: AttemptEnd = { kind: "exited", exitCode: 1 };
const fault: AttemptEnd = { kind: "platform_fault", detail: "the machine stopped" };
const moved: AttemptEnd = { ...fault, moved: true };
const preempted: AttemptEnd = { kind: "preempted" };

function gang(members: readonly Partial<GangMember>[], change: Partial<Gang> = {}): Gang {
  return {
    turn: 1,
    faultsBefore: 0,
    retriesMax: 2,
    ...change,
    members: members.map((member, rank) => ({
      requestId: `r${rank}`,
      rank,
      wanted: "running",
      ended: false,
      reason: null,
      end: null,
      free: false,
      told: false,
      missing: false,
      ...member,
    })),
  };
}

test("S-07: as long as all run, or have ended well, a gang is let be; it is closed when nothing is held", () => {
  expect(decideGang(gang([{}, {}]), now)).toEqual({ do: "wait" });
  expect(decideGang(gang([{ end: good, free: true }, {}]), now)).toEqual({ do: "wait" });
  const both = [{ end: good, free: true }, { end: good }];
  expect(decideGang(gang(both), now)).toEqual({ do: "wait" });
  const done = [both[0] ?? {}, { end: good, free: true }];
  expect(decideGang(gang(done), now)).toEqual({ do: "close" });
});

test.each([
  ["exits badly", bad, /exit code 1/],
  ["is ended by a signal", { kind: "signaled", signal: "SIGSEGV" }, /SIGSEGV/],
  ["runs too long", { kind: "timed_out" }, /limit/],
] as const)("S-07: a member that %s ends all", (_, end, words) => {
  const step = decideGang(gang([{}, { end }, { end: good, free: true }]), now);
  expect(step).toMatchObject({
    do: "end",
    reason: { code: "member_failed", details: { member: 1 } },
  });
  expect(step).toHaveProperty("reason.message", expect.stringMatching(words));
});

test("S-07: who failed is named, not those that were told to end because of him", () => {
  const told: AttemptEnd = { kind: "signaled", signal: "SIGTERM" };
  const step = decideGang(gang([{ end: told }, { end: bad }]), now);
  expect(step).toMatchObject({ do: "end", reason: { details: { member: 1 } } });
  const all = decideGang(gang([{}, { end: told }]), now);
  expect(all).toMatchObject({ do: "end", reason: { details: { member: 1 } } });
});

test("S-07: who is canceled or can never be made takes the others along, with his reason", () => {
  const reason = { code: "canceled", message: "It was canceled by Ann." };
  const step = decideGang(gang([{ wanted: "released", reason }, {}]), now);
  expect(step).toMatchObject({ do: "end", reason: { code: "canceled", details: { member: 0 } } });
  const refused = { ended: true, reason: { code: "refused", message: "No such image." } };
  expect(decideGang(gang([{}, refused]), now)).toMatchObject({ reason: { code: "refused" } });
  const all = [{ wanted: "released" as const }, { ended: true }];
  expect(decideGang(gang(all), now)).toEqual({ do: "wait" });
});

test("S-09: a fault of one sends all back at once, and the one after the last retry ends all", () => {
  const members = [{}, { end: fault }, { end: good, free: true }];
  expect(decideGang(gang(members), now)).toMatchObject({
    do: "again",
    heldUntil: null,
    reason: { code: "platform_fault", details: { member: 1, attempt: 1 } },
  });
  const second = decideGang(gang(members, { turn: 2, faultsBefore: 1 }), now);
  expect(second).toMatchObject({ do: "again", heldUntil: now + 5_000 });
  const last = decideGang(gang(members, { turn: 3, faultsBefore: 2 }), now);
  expect(last).toMatchObject({ do: "end", reason: { code: "platform_fault" } });
});

test("S-09: programs that fail because a peer was lost are not taken for the cause", () => {
  expect(decideGang(gang([{ end: bad }, { missing: true }]), now)).toEqual({ do: "wait" });
  expect(decideGang(gang([{ end: bad }, { end: fault }]), now)).toMatchObject({ do: "again" });
  expect(decideGang(gang([{ end: bad }, {}]), now)).toMatchObject({ do: "end" });
});

test("S-05: a gang that makes room goes back when all have saved their work, whatever their exits say", () => {
  const told = { told: true };
  expect(decideGang(gang([{ end: preempted, told: false }, told]), now)).toEqual({ do: "wait" });
  expect(decideGang(gang([{ end: bad }, told]), now)).toEqual({ do: "wait" });
  expect(decideGang(gang([{ end: bad }, { end: preempted }]), now)).toMatchObject({
    do: "again",
    reason: { code: "preempted" },
    heldUntil: now + 30_000,
  });
});

test("S-05: a gang that the cluster's queue took off goes back together, with its words", () => {
  const evicted: AttemptEnd = { kind: "preempted", detail: "It made room for another customer." };
  expect(decideGang(gang([{ end: evicted }, { end: bad }]), now)).toMatchObject({
    do: "again",
    reason: { code: "preempted", message: expect.stringContaining("for another customer. Their") },
    heldUntil: now + 30_000,
  });
});

test("S-10: off what is sick all go on elsewhere, and it counts as no retry", () => {
  const members = [{ end: moved }, { end: good, free: true }];
  const step = decideGang(gang(members, { faultsBefore: 2 }), now);
  expect(step).toMatchObject({ do: "again", reason: { code: "moved" }, heldUntil: null });
  // A fault besides is a fault.
  const both = decideGang(gang([{ end: moved }, { end: fault }], { faultsBefore: 2 }), now);
  expect(both).toMatchObject({ do: "end" });
});

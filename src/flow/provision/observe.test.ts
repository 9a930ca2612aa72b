import { expect, test } from "vitest";

import type { Machine } from "#providers/provider.ts";
import {
  accepted,
  booting,
  fresh,
  leaseView,
  now,
  off,
  readyAt,
  running,
  unseen,
  type Given,
} from "#test/lease-view.ts";

import { closeAll, observeMachine, type Observation } from "./observe.ts";

function observe(machine: Machine, given: Given = {}): Observation {
  return observeMachine(leaseView({ ...given, machine }), machine);
}

function told({ transitions }: Observation): (string | number)[][] {
  return transitions.map(({ kind, at }) => [kind, at]);
}

test("made and ready are told by the platform's instants, once", () => {
  expect(told(observe(accepted, fresh))).toEqual([["created", readyAt - 1_000]]);
  expect(told(observe(booting, fresh))).toEqual([["created", readyAt - 1_000]]);
  expect(told(observe(running, fresh))).toEqual([
    ["created", readyAt - 1_000],
    ["ready", readyAt],
  ]);
  expect(told(observe(running))).toEqual([]);
});

test("R-PAYG-3: a run that came up and went down unseen is metered once, where the platform shows it", () => {
  const unseenRun = { ...off(now - 1_000, "guest"), guest: { ready: false, readyAt: now - 9_000 } };
  const starting = { instance: { state: "starting" }, metering: { ready: false } } as const;
  expect(told(observe(unseenRun, starting))).toEqual([
    ["ready", now - 9_000],
    ["stopped", now - 1_000],
  ]);
  // Once it is metered, or if it was before, it is not again.
  const metered = { ...starting, metering: { ready: false, lastAt: now - 1_000 } };
  expect(told(observe(unseenRun, metered))).toEqual([]);
  expect(told(observe({ ...unseenRun, guest: { ready: false } }, starting))).toEqual([]);
});

test("a machine is not older than its row", () => {
  const old = { ...booting, powerSince: 0 };
  expect(told(observe(old, fresh))).toEqual([["created", now]]);
  // Told in whole seconds it may seem to be, a part of one; it is not from when it was first seen.
  const same = { ...fresh, instance: { ...fresh.instance, createdAt: readyAt + 400 } };
  expect(told(observe({ ...running, powerSince: readyAt }, same))).toEqual([
    ["created", readyAt + 400],
    ["ready", readyAt + 400],
  ]);
});

test("a crash is told at its own instant, with a word for the customer", () => {
  const seen = observe(off(now - 1_500));
  expect(told(seen)).toEqual([["stopped", now - 1_500]]);
  expect(seen).toMatchObject({ stopped: "crashed", events: [{ kind: "crashed" }] });
});

test("a stop that we asked for is ours, and no event", () => {
  const seen = observe(off(now - 5, "requested"), { instance: { state: "stopping" } });
  expect(seen).toMatchObject({ stopped: "requested", events: [] });
  expect(told(seen)).toEqual([["stopped", now - 5]]);
});

test("what cannot be seen has neither stopped nor started", () => {
  expect(observe(unseen)).toMatchObject({ transitions: [], ready: false, stopped: undefined });
});

test("a crash and a restart between two looks are two runs", () => {
  const again: Machine = {
    ...running,
    powerSince: now - 900,
    guest: { ready: true, readyAt: now - 100 },
    stop: { at: now - 1_000, reason: "crashed", detail: "why" },
  };
  expect(told(observe(again))).toEqual([
    ["stopped", now - 1_000],
    ["ready", now - 100],
  ]);
});

const stopAt = (at: number) => ({ at, reason: "crashed", detail: "why" }) as const;

test("R-PAYG-3: runs that came and went between two looks are metered one by one, and nothing between them", () => {
  const past = [
    { readyAt: readyAt - 9_000, stop: stopAt(readyAt - 5_000) },
    { readyAt, stop: stopAt(now - 9_000) },
    { readyAt: now - 8_000, stop: stopAt(now - 7_000) },
  ];
  const again: Machine = {
    ...running,
    past,
    powerSince: now - 6_000,
    guest: { ready: true, readyAt: now - 5_000 },
    stop: stopAt(now - 7_000),
  };
  const all = [
    ["stopped", now - 9_000],
    ["ready", now - 8_000],
    ["stopped", now - 7_000],
  ];
  expect(told(observe(again))).toEqual([...all, ["ready", now - 5_000]]);
  // Off by now: the last run is told as one that nobody saw.
  const down = { ...off(now - 1_000), past, guest: { ready: false, readyAt: now - 5_000 } };
  expect(told(observe(down))).toEqual([...all, ["ready", now - 5_000], ["stopped", now - 1_000]]);
  // The next one may be ready in the second in which the one before ended.
  const close = [past[1], { readyAt: now - 9_000, stop: stopAt(now - 7_000) }].flatMap(
    (each) => each ?? [],
  );
  expect(told(observe({ ...again, past: close }))).toEqual([
    ["stopped", now - 9_000],
    ["ready", now - 9_000],
    ["stopped", now - 7_000],
    ["ready", now - 5_000],
  ]);
  // What is metered already is not again.
  const metering = { lastAt: now - 5_000 };
  expect(told(observe(again, { metering, instance: { readyAt: now - 5_000 } }))).toEqual([]);
});

test("R-PAYG-3: a run that the books have as over and that goes on, on a platform that was set back, counts from where it is seen", () => {
  const stopped = { instance: { state: "stopped" }, metering: { ready: false } } as const;
  // A part of what the platform says is as it was known before that.
  const goesOn = { ...running, power: { ...running.power, at: readyAt + 4_000 } };
  const at = (lastAt: number) =>
    told(observe(goesOn, { ...stopped, metering: { ...stopped.metering, lastAt } }));
  expect(at(readyAt + 5_000)).toEqual([["ready", now]]);
  // What is told in whole seconds may seem to be in the second before.
  expect(at(readyAt + 900)).toEqual([["ready", readyAt + 900]]);
});

test("a machine that went down before we took it away held nothing from then on", () => {
  const seen = observe(off(now - 50_000), { instance: { state: "deleting" } });
  expect(told(seen)).toEqual([["stopped", now - 50_000]]);
});

test("a machine that ends while it is taken away did not crash, whatever its platform calls that", () => {
  const leaving = { instance: { state: "deleting", stateSince: now - 60_000 } } as const;
  expect(observe(off(now - 10_000), leaving)).toMatchObject({ stopped: "requested", events: [] });
  // In whole seconds it may seem to be a moment before.
  expect(observe(off(now - 60_900), leaving)).toMatchObject({ stopped: "requested", events: [] });
  const before = observe(off(now - 90_000), leaving);
  expect(before).toMatchObject({ stopped: "crashed", events: [{ kind: "crashed" }] });
});

test("instants never run backwards; those of a clock that was set back are now", () => {
  const metering = { lastAt: now - 100 };
  expect(told(observe(off(now - 200), { metering }))).toEqual([["stopped", now - 100]]);
  const hourAgo = off(now - 3_600_000);
  expect(told(observe(hourAgo, { metering }))).toEqual([["stopped", now]]);
  // Also when ours was set back with it: no second is counted twice.
  expect(told(observe(hourAgo, { metering, at: now - 3_600_000 }))).toEqual([
    ["stopped", now - 100],
  ]);
});

test("the end closes what is open, and only that", () => {
  expect(kinds({})).toEqual(["stopped", "deleted"]);
  expect(kinds({ metering: { ready: false } })).toEqual(["deleted"]);
  expect(kinds({ metering: { ready: false, deleted: true } })).toEqual([]);
  expect(kinds(fresh)).toEqual([]);
  expect(kinds({ metering: { workloadStarted: true } })).toEqual([
    "workload_ended",
    "stopped",
    "deleted",
  ]);
});

function kinds(given: Given): string[] {
  return closeAll(leaseView(given), { at: now, evidence: {} }).map(({ kind }) => kind);
}

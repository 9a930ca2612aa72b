import { expect, test } from "vitest";

import {
  accepted,
  booting,
  failedWith,
  fresh,
  leaseView,
  now,
  off,
  operation,
  pending,
  running,
  shape,
  unseen,
  type Given,
} from "#test/lease-view.ts";

import { decide } from "./decide.ts";
import { goalOf, restartsMax } from "./drive.ts";
import type { Step } from "./view.ts";

function step(given: Given = {}): Step {
  return decide(leaseView(given));
}

const stopped = { state: "stopped", readyAt: null } as const;
const notReady = { ready: false } as const;

test("the goal needs capacity that was granted for this very ask", () => {
  expect(goalOf(leaseView())).toBe("running");
  expect(goalOf(leaseView({ request: { turn: 2 } }))).toBe("stopped");
  expect(goalOf(leaseView({ placement: { state: "disk" } }))).toBe("stopped");
  expect(goalOf(leaseView({ request: { wanted: "stopped" } }))).toBe("stopped");
  expect(goalOf(leaseView({ request: { wanted: "released" } }))).toBe("gone");
  expect(goalOf(leaseView({ request: { ended: true } }))).toBe("gone");
});

test("ready ends what waited for it to run; booting does not", () => {
  const operations = [operation("create"), operation("start")];
  const up = step({ ...fresh, operations });
  expect(up).toMatchObject({ state: "running" });
  expect(up.endedOperations).toHaveLength(2);
  expect(step({ ...fresh, machine: booting, operations })).toMatchObject({
    state: "creating",
    endedOperations: [],
  });
  expect(step({ ...fresh, machine: accepted })).toMatchObject({ state: "creating" });
});

test("a stop asks the guest first, with the grace that was given", () => {
  const asked = { request: { wanted: "stopped" } } as const;
  const kind = step({ ...asked, operations: [operation("stop", { graceSeconds: 30 })] });
  expect(kind).toMatchObject({
    state: "stopping",
    call: {
      key: "op-stop:stop",
      operationId: "op-stop",
      action: { to: "shutdown", graceSeconds: 30 },
    },
  });
  const hard = step({ ...asked, operations: [operation("stop", { graceSeconds: 0 })] });
  expect(hard.call).toMatchObject({ action: { to: "stop" } });
  expect(step(asked).call).toMatchObject({ key: "i:1:stop", action: { to: "stop" } });
});

test("stopped gives back all but the disk, and ends what needed it to run", () => {
  const operations = [operation("stop", { graceSeconds: 0 }), operation("reboot")];
  const done = step({
    machine: off(now - 5, "requested"),
    instance: { state: "stopping" },
    request: { wanted: "stopped" },
    operations,
  });
  expect(done).toMatchObject({ state: "stopped", placement: "disk", patch: { readyAt: null } });
  expect(
    done.endedOperations.map(({ operation: of, outcome }) => [of.kind, outcome.state]),
  ).toEqual([
    ["stop", "succeeded"],
    ["reboot", "failed"],
  ]);
});

test("on a host that cannot be seen nothing is stopped or started", () => {
  for (const wanted of ["running", "stopped"] as const) {
    const left = step({ machine: unseen, request: { wanted } });
    expect(left).toMatchObject({ state: "running", transitions: [] });
    expect(left.call).toBeUndefined();
  }
});

test("a start is one call per turn, and remembers the stop that it leaves behind", () => {
  const given: Given = {
    machine: off(now - 9_000, "requested"),
    instance: { ...stopped, restarts: 3 },
    metering: notReady,
    request: { turn: 2 },
    placement: { turn: 2 },
    operations: [operation("start")],
  };
  expect(step(given)).toMatchObject({
    state: "starting",
    patch: { restarts: 0, stopBeforeStart: now - 9_000 },
    call: { kind: "start", key: "i:start:2", operationId: "op-start" },
  });
});

const starting: Given = {
  machine: off(now - 9_000, "requested"),
  instance: {
    state: "starting",
    readyAt: null,
    stopBeforeStart: now - 9_000,
    stateSince: now - 10,
  },
  metering: notReady,
};

test("the stop that was there before the start is not a new one, whatever our clock says", () => {
  for (const stateSince of [now - 3_600_000, now - 10, now + 3_600_000]) {
    const instance = { ...starting.instance, stateSince };
    expect(step({ ...starting, instance })).toMatchObject({ state: "starting", events: [] });
  }
});

test("a start that failed is made again, with a new key and after a rest", () => {
  const call = pending("start", { key: "i:start:1" });
  const failed = step({
    ...starting,
    instance: { ...starting.instance, call },
    callStatus: failedWith("unavailable"),
  });
  expect(failed).toMatchObject({ state: "starting", patch: { pace: { keys: 1, inRow: 1 } } });
  expect(failed.call).toBeUndefined();
  const { pace } = failed.patch;
  const later = pace === undefined ? {} : { pace };
  const again = step({
    ...starting,
    instance: { ...starting.instance, ...later },
    at: failed.lookAgainAt ?? 0,
  });
  expect(again.call).toMatchObject({ kind: "start", key: "i:start:1~1" });
});

test("a crash while it starts is a crash: it is restarted and counted", () => {
  const again = step({ ...starting, machine: off(now - 5, "crashed") });
  expect(again).toMatchObject({
    state: "starting",
    patch: { restarts: 1, stopBeforeStart: now - 5 },
    call: { key: "i:start:1:restart:1" },
    events: [{ kind: "restarting" }],
  });
});

test("a machine that crashes too often stays off, and says so", () => {
  const given: Given = { machine: off(), instance: { restarts: restartsMax } };
  expect(step(given)).toMatchObject({
    state: "stopped",
    placement: "disk",
    request: { set: "wanted-stopped", reason: { code: "crashed" } },
  });
});

test("switched off from inside, or not to be restarted, it is a stopped lease", () => {
  const guest = step({ machine: off(now - 5, "guest"), operations: [operation("create")] });
  expect(guest).toMatchObject({
    state: "stopped",
    request: { set: "wanted-stopped", reason: { code: "guest_shutdown" } },
    endedOperations: [{ outcome: { state: "failed" } }],
  });
  const never = step({ machine: off(), request: { restart: "never" } });
  expect(never).toMatchObject({ state: "stopped", request: { reason: { code: "crashed" } } });
});

test("switched off on its platform, without a word of ours, it is a stopped lease that says so", () => {
  expect(step({ machine: off(now - 5, "requested") })).toMatchObject({
    state: "stopped",
    request: {
      set: "wanted-stopped",
      reason: {
        code: "stopped_outside",
        message: expect.stringMatching(/not by Millrace; start the lease to run it again/),
      },
    },
  });
});

test("other work is done one at a time, oldest first, under the id of its operation", () => {
  const resized = { ...shape, vcpus: 2, cpu: { sockets: 1, cores: 2, threads: 1 } };
  const operations = [
    operation("resize", { shape: resized, price: {} }),
    operation("snapshot", { id: "s", name: "s", withMemory: false }),
  ];
  expect(step({ operations }).call).toMatchObject({ kind: "resize", key: "op-resize" });
  expect(step({ operations: operations.slice(1) }).call).toMatchObject({ kind: "snapshot" });
  expect(step({ operations: [operation("reboot")] }).call).toMatchObject({ kind: "reboot" });
});

test("metering follows the shape that the machine has got, not the one that was asked for", () => {
  const bigger = { ...shape, vcpus: 2 };
  const done = step({ request: { shape: bigger } });
  expect(done.transitions).toMatchObject([{ kind: "resized", at: now, shape: bigger }]);
  const waits = step({
    machine: { ...running, pendingResize: true },
    request: { shape: bigger },
  });
  expect(waits.transitions).toEqual([]);
});

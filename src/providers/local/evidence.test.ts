import { expect, test } from "vitest";

import { parseExit, stopEvidence, type Remains } from "./evidence.ts";

const remains: Remains = {
  intent: "run",
  launchedAt: 1_000,
  exit: undefined,
  events: [],
  disconnectedAt: undefined,
  lastSignOfLifeAt: 5_000,
  hostRestarted: false,
  clockAheadMs: 0,
};

const shutdown = (reason: string) => [{ name: "SHUTDOWN", at: 7_000, data: { reason } }];

test("a guest that powered off is told from a machine that we stopped", () => {
  const events = shutdown("guest-shutdown");
  const exit = { code: 0, at: 7_010 };
  expect(stopEvidence({ ...remains, events, exit })).toMatchObject({ reason: "guest", at: 7_010 });
  expect(stopEvidence({ ...remains, events, exit, intent: "stop" }).reason).toBe("requested");
});

test("a killed QEMU is a crash, and says by which signal", () => {
  const evidence = stopEvidence({ ...remains, exit: { code: 137, at: 9_000 } });
  expect(evidence).toMatchObject({ reason: "crashed", at: 9_000 });
  expect(evidence.detail).toContain("signal 9");
});

test("a panic is a crash even while a stop was asked for", () => {
  const events = shutdown("guest-panic");
  expect(stopEvidence({ ...remains, events, intent: "stop" }).reason).toBe("crashed");
});

test("QEMU ended by somebody else's hand is a crash", () => {
  expect(stopEvidence({ ...remains, events: shutdown("host-signal") }).reason).toBe("crashed");
});

test("each witness is used in its turn, and named", () => {
  const all = {
    ...remains,
    exit: { code: 1, at: 9_000 },
    events: shutdown("host-error"),
    disconnectedAt: 8_000,
  };
  expect(stopEvidence(all)).toMatchObject({ at: 9_000 });
  expect(stopEvidence({ ...all, exit: undefined })).toMatchObject({ at: 7_000 });
  const broken = stopEvidence({ ...all, exit: undefined, events: [] });
  expect(broken).toMatchObject({ at: 8_000 });
  expect(broken.detail).toContain("connection broke");
  const last = stopEvidence(remains);
  expect(last).toMatchObject({ at: 5_000, reason: "crashed" });
  expect(last.detail).toContain("last sign of life");
});

test("what was written under a clock that was set back is told in the program's time", () => {
  const hour = 3_600_000;
  const set = { ...remains, launchedAt: hour, lastSignOfLifeAt: 2 * hour, clockAheadMs: hour };
  // Somebody was there when it ended: his clock was never set back.
  const exit = { code: 0, at: hour + 9_000 };
  const seen = stopEvidence({ ...set, exit, disconnectedAt: 2 * hour + 9_100 });
  expect(seen).toMatchObject({ at: 2 * hour + 9_100 });
  expect(stopEvidence({ ...set, exit })).toMatchObject({ at: 2 * hour + 9_000 });
  const events = [{ name: "SHUTDOWN", at: hour + 7_000, data: {} }];
  expect(stopEvidence({ ...set, events })).toMatchObject({ at: 2 * hour + 7_000 });
  // It ended before the clock was set back, when nobody was there.
  expect(stopEvidence({ ...set, exit: { code: 0, at: 2 * hour + 100 } })).toMatchObject({
    at: 2 * hour + 100,
  });
});

test("the end is never before the start, whatever the files say", () => {
  expect(stopEvidence({ ...remains, lastSignOfLifeAt: 0 }).at).toBe(remains.launchedAt);
});

test("an exit record is read whole or not at all", () => {
  expect(parseExit("137 1795232790398\n")).toEqual({ code: 137, at: 1_795_232_790_398 });
  for (const text of [
    undefined,
    "",
    "137",
    "137 17952327",
    "137 1795232790398",
    "x 1795232790398\n",
  ]) {
    expect(parseExit(text)).toBeUndefined();
  }
});

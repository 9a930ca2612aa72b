import fc from "fast-check";
import { expect, test } from "vitest";

import { testDatabase } from "#test/database.ts";

import { aheadMsMax, markClock, openClock, startOfClock, type Host } from "./clock.ts";

const { db } = await testDatabase();
const hourMs = 3_600_000;
const startedAt = Date.parse("2026-05-04T10:00:00Z");

/** A machine whose clock is set, which sleeps, and which is started again. */
class Machine implements Host {
  bootId = "boot-1";
  /** What really went by. */
  realMs = 0;
  #boots = 1;
  #bootedAtMs = 0;
  #offsetMs = 0;
  uptimeMs = (): number => this.realMs - this.#bootedAtMs;
  wall = (): number => startedAt + this.realMs + this.#offsetMs;
  monotonic = (): number => this.realMs;
  pass(ms: number): void {
    this.realMs += ms;
  }
  setClock(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }
  reboot(offMs: number): void {
    this.realMs += offMs;
    this.#bootedAtMs = this.realMs;
    this.#boots += 1;
    this.bootId = `boot-${this.#boots}`;
  }
}

/** The rows are there for all tests of this file. */
async function fresh(machine: Machine): Promise<() => number> {
  return openClock(db, machine, "believe");
}

test("set back an hour and started again, it goes on by what the kernel counted", async () => {
  const machine = new Machine();
  const first = await fresh(machine);
  await markClock(db, machine, first);
  machine.pass(30_000);
  machine.setClock(-hourMs);
  machine.pass(5 * 60_000);
  const again = await openClock(db, machine);
  expect(again()).toBe(startedAt + machine.realMs);
  machine.pass(60_000);
  expect(again()).toBe(startedAt + machine.realMs);
});

test("after a boot under a clock that was set back, what passed is not known, and not counted", async () => {
  const machine = new Machine();
  const first = await fresh(machine);
  machine.pass(10_000);
  await markClock(db, machine, first);
  machine.setClock(-hourMs);
  machine.reboot(120_000);
  const again = await openClock(db, machine);
  expect(again()).toBe(startedAt + 10_000);
  machine.pass(1_000);
  expect(again()).toBe(startedAt + 11_000);
  // Once the clock has been put right, it is right.
  machine.setClock(0);
  expect(again()).toBe(startedAt + machine.realMs);
});

test("a process that is behind does not turn the mark of another one back", async () => {
  const machine = new Machine();
  const ahead = await fresh(machine);
  machine.pass(60_000);
  await markClock(db, machine, ahead);
  machine.setClock(-hourMs);
  machine.pass(1_000);
  await markClock(db, machine, machine.wall);
  expect((await openClock(db, machine))()).toBe(startedAt + machine.realMs);
});

test("a clock that is wrong by more than a day is not worked with, unless it is believed", async () => {
  const machine = new Machine();
  await markClock(db, machine, await fresh(machine));
  machine.setClock(-aheadMsMax - 1_000);
  await expect(openClock(db, machine)).rejects.toMatchObject({
    code: "wrong_state",
    message: expect.stringContaining("--clock believe"),
  });
  expect((await openClock(db, machine, "believe"))()).toBe(machine.wall());
  expect((await openClock(db, machine))()).toBe(machine.wall());
});

test("without a mark, the machine's clock is what there is", () => {
  const now = { bootId: "b", uptimeMs: 5, wall: startedAt };
  expect(startOfClock([], now)).toBe(startedAt);
  expect(startOfClock([{ bootId: "a", at: startedAt - 1, uptimeMs: 9 }], now)).toBe(startedAt);
});

const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.nat(600_000) }) },
  fc.record({ kind: fc.constant("mark"), ms: fc.constant(0) }),
  fc.record({ kind: fc.constant("set"), ms: fc.integer({ min: -10 * hourMs, max: 0 }) }),
  fc.record({ kind: fc.constant("restart"), ms: fc.nat(600_000) }),
  fc.record({ kind: fc.constant("reboot"), ms: fc.nat(600_000) }),
);

test("over any history of steps back and restarts: never back, and never faster than real time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 40 }), async (moves) => {
      const machine = new Machine();
      let now = await fresh(machine);
      await markClock(db, machine, now);
      let before = now();
      let unknownMs = 0;
      let markedMs = 0;
      for (const { kind, ms } of moves) {
        if (kind === "pass") machine.pass(ms);
        if (kind === "set") machine.setClock(ms);
        if (kind === "mark") {
          await markClock(db, machine, now);
          markedMs = machine.realMs;
        }
        if (kind === "restart" || kind === "reboot") {
          if (kind === "restart") machine.pass(ms);
          else {
            // Since the last mark nobody knows how long it was.
            unknownMs += machine.realMs - markedMs + ms;
            machine.reboot(ms);
          }
          now = await openClock(db, machine);
          await markClock(db, machine, now);
          markedMs = machine.realMs;
          // What was told since the last mark and not written down is told once more.
          before = Math.min(before, now());
        }
        expect(now()).toBeGreaterThanOrEqual(before);
        before = now();
        expect(before - startedAt).toBeLessThanOrEqual(machine.realMs);
        // Two seconds of a slew for each time that it was set.
        expect(before - startedAt).toBeGreaterThanOrEqual(
          machine.realMs - unknownMs - 2_001 * moves.length,
        );
      }
    }),
    { numRuns: 60 },
  );
});

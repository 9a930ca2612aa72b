import { setTimeout as wait } from "node:timers/promises";

import { expect, test, vi } from "vitest";

import { createObserver } from "#observe/observer.ts";

import { nudgedRestMs, restAfterMs, worthSaying } from "./backoff.ts";
import { startLoop, type Loop } from "./loop.ts";

interface Watched {
  readonly loop: Loop;
  readonly passes: number[];
  readonly lines: string[];
  readonly metrics: () => Promise<string>;
}

/** Fails until `works` says that it does not. */
function failingLoop(works: () => boolean): Watched {
  const passes: number[] = [];
  const lines: string[] = [];
  const observer = createObserver({
    level: "info",
    destination: { write: (line) => lines.push(line) },
  });
  const loop = startLoop(
    {
      name: "site",
      periodMs: 60_000,
      channels: [],
      pass: () => {
        passes.push(performance.now());
        if (!works()) return Promise.reject(new Error("the site is away"));
        return Promise.resolve("rest");
      },
    },
    {
      observer,
      now: Date.now,
      nudges: { on: () => () => undefined, close: () => Promise.resolve() },
    },
  );
  return { loop, passes, lines, metrics: () => observer.metrics.metrics() };
}

test("the rest doubles up to half a minute", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(restAfterMs)).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test("the same failure is said at first and then seldom; another one sooner", () => {
  const first = { message: "away", atMs: 0, isOver: false };
  expect(worthSaying(undefined, first)).toBe(true);
  expect(worthSaying(first, { message: "away", atMs: 599_999 })).toBe(false);
  expect(worthSaying(first, { message: "away", atMs: 600_000 })).toBe(true);
  expect(worthSaying(first, { message: "away for 60 s", atMs: 59_999 })).toBe(false);
  expect(worthSaying(first, { message: "away for 60 s", atMs: 60_000 })).toBe(true);
  const over = { ...first, isOver: true };
  expect(worthSaying(over, { message: "away", atMs: 59_999 })).toBe(false);
  expect(worthSaying(over, { message: "away", atMs: 60_000 })).toBe(true);
});

test("a loop that fails rests longer each time, says so once, and shows it", async () => {
  const { loop, passes, lines, metrics } = failingLoop(() => false);
  await vi.waitFor(() => expect(passes).toHaveLength(3), { timeout: 30_000, interval: 20 });
  const [first = 0, second = 0, third = 0] = passes;
  expect(second - first).toBeGreaterThan(480);
  expect(third - second).toBeGreaterThan(960);
  expect(lines).toEqual([expect.stringContaining("loop pass failed")]);
  expect(loop.status()).toMatchObject({ lastError: "the site is away", failures: 3 });
  expect(loop.status()).toMatchObject({ failuresInRow: 3, failingSince: expect.any(Number) });
  expect(await metrics()).toContain('millrace_loop_failures_in_row{loop="site"} 3');
  await loop.stop();
});

test("nudges wake a loop that fails, but a storm of them does not make it spin", async () => {
  const { loop, passes } = failingLoop(() => false);
  const storm = setInterval(() => loop.nudge(), 2);
  await vi.waitFor(() => expect(passes.length).toBeGreaterThanOrEqual(5), {
    timeout: 30_000,
    interval: 20,
  });
  clearInterval(storm);
  // Four rests: without nudges they would have been 7.5 s.
  const [first = 0] = passes;
  expect((passes[4] ?? 0) - first).toBeGreaterThan(4 * nudgedRestMs - 40);
  expect((passes[4] ?? 0) - first).toBeLessThan(7_000);
  await loop.stop();
});

test("that it works again is said; one that fails now and then does not fill the log", async () => {
  let works = false;
  const { loop, lines, metrics, passes } = failingLoop(() => works);
  await vi.waitFor(() => expect(passes).toHaveLength(2), { timeout: 30_000, interval: 20 });
  works = true;
  await vi.waitFor(() => expect(loop.status().failuresInRow).toBe(0), {
    timeout: 30_000,
    interval: 20,
  });
  expect(lines.map((line) => /"msg":"([^"]*)"/.exec(line)?.[1])).toEqual([
    "loop pass failed",
    "loop works again",
  ]);
  expect(loop.status()).toMatchObject({ lastError: null, failingSince: null, failures: 2 });
  expect(await metrics()).toContain('millrace_loop_failures_in_row{loop="site"} 0');
  works = false;
  loop.nudge();
  await vi.waitFor(() => expect(loop.status().failuresInRow).toBe(1), {
    timeout: 30_000,
    interval: 20,
  });
  works = true;
  await vi.waitFor(() => expect(loop.status().failuresInRow).toBe(0), {
    timeout: 30_000,
    interval: 20,
  });
  expect(lines).toHaveLength(2);
  await loop.stop();
});

test("stopping does not wait for the rest", async () => {
  const { loop, passes } = failingLoop(() => false);
  await vi.waitFor(() => expect(passes).toHaveLength(3), { timeout: 30_000, interval: 20 });
  const stopping = loop.stop().then(() => "stopped");
  expect(await Promise.race([stopping, wait(400).then(() => "waits")])).toBe("stopped");
});

test("nudges that come together become one pass after the loop's pause", async () => {
  const observer = createObserver({ level: "silent", destination: { write: () => undefined } });
  const passes: number[] = [];
  const pauseMs = 300;
  const loop = startLoop(
    {
      name: "log",
      periodMs: 60_000,
      pauseMs,
      channels: [],
      pass: () => {
        passes.push(performance.now());
        return Promise.resolve(passes.length === 2 ? "again" : "rest");
      },
    },
    {
      observer,
      now: Date.now,
      nudges: { on: () => () => undefined, close: () => Promise.resolve() },
    },
  );
  await vi.waitFor(() => expect(passes).toHaveLength(1));
  for (let nudge = 0; nudge < 10; nudge += 1) loop.nudge();
  await vi.waitFor(() => expect(passes).toHaveLength(3), { timeout: 30_000 });
  const [first = 0, second = 0] = passes;
  // A timer may be a millisecond early.
  expect(second - first).toBeGreaterThanOrEqual(pauseMs - 2);
  await loop.stop();
  expect(passes).toHaveLength(3);
});

test("a pass that says when something is due is followed by one then, and never later than the period", async () => {
  const observer = createObserver({ level: "silent", destination: { write: () => undefined } });
  const passesOf = async (periodMs: number, restMs: number): Promise<number> => {
    let passes = 0;
    const loop = startLoop(
      {
        name: "due",
        periodMs,
        channels: [],
        pass: () => {
          passes += 1;
          return Promise.resolve(passes < 4 ? { restMs } : "rest");
        },
      },
      {
        observer,
        now: Date.now,
        nudges: { on: () => () => undefined, close: () => Promise.resolve() },
      },
    );
    await vi.waitFor(() => expect(passes).toBeGreaterThanOrEqual(4), { timeout: 30_000 });
    await loop.stop();
    return passes;
  };
  const hour = 3_600_000;
  // Due already, or by a clock that was set.
  expect(await passesOf(hour, -5)).toBe(4);
  expect(await passesOf(hour, 150)).toBe(4);
  expect(await passesOf(120, hour)).toBeGreaterThanOrEqual(4);
});

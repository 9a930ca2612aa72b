import { expect, test, vi } from "vitest";

import { Boots } from "./boots.ts";

const never = (): Promise<boolean> => Promise.resolve(false);

test("so many at a time, in the order in which they were asked for; the next when one is over", async () => {
  const boots = new Boots(2);
  const over = new Set<string>();
  const started: string[] = [];
  const all = ["a", "b", "c", "d"].map((name) =>
    boots.take(
      () => Promise.resolve(started.push(name)),
      () => Promise.resolve(over.has(name)),
    ),
  );
  await all[1];
  expect(started).toEqual(["a", "b"]);
  over.add("b");
  await all[2];
  expect(started).toEqual(["a", "b", "c"]);
  over.add("a").add("c");
  await Promise.all(all);
  expect(started).toEqual(["a", "b", "c", "d"]);
  over.add("d");
});

test("one that cannot start, and one that nobody can look at, give their turn away", async () => {
  const boots = new Boots(1);
  await expect(boots.take(() => Promise.reject(new Error("no disk")), never)).rejects.toThrow(
    "no disk",
  );
  await boots.take(
    () => Promise.resolve(),
    () => Promise.reject(new Error("unreadable")),
  );
  await expect(boots.take(() => Promise.resolve("started"), never)).resolves.toBe("started");
});

test("a boot that hangs holds up the next for a while only", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
  try {
    const boots = new Boots(1);
    await boots.take(() => Promise.resolve(), never);
    const next = boots.take(() => Promise.resolve("started"), never);
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(next).resolves.toBe("started");
  } finally {
    vi.useRealTimers();
  }
});

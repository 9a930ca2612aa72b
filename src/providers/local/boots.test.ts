import { expect, test, vi } from "vitest";

import { Boots } from "./boots.ts";

const never = (): Promise<boolean> => Promise.resolve(false);

test("so many at a time, in the order in which they were asked for; the next when one is over", async () => {
  const boots = new Boots(2);
  const over = new Set<string>();
  const started: string[] = [];
  const all = ["a", "b", "c", "d"].map((name) =>
    boots.take(
      boots.draw(),
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

test("who drew the earlier place goes first, whoever was ready first", async () => {
  const boots = new Boots(1);
  const over = new Set<string>();
  const started: string[] = [];
  const [first, second, third] = [boots.draw(), boots.draw(), boots.draw()];
  const take = (ticket: number, name: string): Promise<number> =>
    boots.take(
      ticket,
      () => Promise.resolve(started.push(name)),
      () => Promise.resolve(over.has(name)),
    );
  const all = [take(second, "second"), take(third, "third"), take(first, "first")];
  await all[0];
  over.add("second").add("first").add("third");
  await Promise.all(all);
  expect(started).toEqual(["second", "first", "third"]);
});

test("one that cannot start, and one that nobody can look at, give their turn away", async () => {
  const boots = new Boots(1);
  await expect(boots.take(1, () => Promise.reject(new Error("no disk")), never)).rejects.toThrow(
    "no disk",
  );
  await boots.take(
    2,
    () => Promise.resolve(),
    () => Promise.reject(new Error("unreadable")),
  );
  await expect(boots.take(3, () => Promise.resolve("started"), never)).resolves.toBe("started");
});

test("a boot that hangs holds up the next for a while only", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
  try {
    const boots = new Boots(1);
    await boots.take(1, () => Promise.resolve(), never);
    const next = boots.take(2, () => Promise.resolve("started"), never);
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(next).resolves.toBe("started");
  } finally {
    vi.useRealTimers();
  }
});

import { expect, test, vi } from "vitest";

import { startHands, type Hands } from "./hands.ts";

interface Seen {
  readonly hands: Hands<string>;
  /** Each work as it began: key and hint. */
  readonly begun: string[];
  readonly finish: (key: string, again?: number) => void;
  readonly fail: (key: string) => void;
  readonly failures: string[];
}

function hands(handsMax: number): Seen {
  const begun: string[] = [];
  const failures: string[] = [];
  const open = new Map<string, PromiseWithResolvers<number | undefined>>();
  return {
    begun,
    failures,
    finish: (key, again) => open.get(key)?.resolve(again),
    fail: (key) => open.get(key)?.reject(new Error("broken")),
    hands: startHands<string>({
      handsMax,
      work: (key, hint) => {
        begun.push(hint === undefined ? key : `${key} ${hint}`);
        const work = Promise.withResolvers<number | undefined>();
        open.set(key, work);
        return work.promise;
      },
      failed: (key) => failures.push(key),
    }),
  };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("each key has one hand, and only so many hands work", async () => {
  const { hands: at, begun, finish } = hands(2);
  for (const key of ["a", "a", "b", "c"]) at.ask(key);
  expect(begun).toEqual(["a", "b"]);
  finish("b");
  await turn();
  expect(begun).toEqual(["a", "b", "c"]);
});

test("asked while it is worked on, a key is worked on once more, however often it was asked", async () => {
  const { hands: at, begun, finish } = hands(2);
  at.ask("a", "first");
  for (let count = 0; count < 100; count += 1) at.ask("a", "old");
  finish("a");
  await turn();
  expect(begun).toEqual(["a first", "a"]);
  finish("a");
  await turn();
  expect(begun).toHaveLength(2);
});

test("a key that hangs holds up no other", async () => {
  const { hands: at, begun, finish } = hands(2);
  at.ask("hung");
  for (const key of ["a", "b", "c"]) {
    at.ask(key);
    finish(key);
    await turn();
  }
  expect(begun).toEqual(["hung", "a", "b", "c"]);
});

test("a key that fails rests longer each time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { hands: at, begun, fail, failures } = hands(2);
    at.ask("a");
    for (const restMs of [500, 1_000, 2_000]) {
      fail("a");
      await turn();
      const before = begun.length;
      vi.advanceTimersByTime(restMs - 1);
      expect(begun).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(begun).toHaveLength(before + 1);
    }
    expect(failures).toEqual(["a", "a", "a"]);
  } finally {
    vi.useRealTimers();
  }
});

test("closed, it waits for the hands at work and begins nothing", async () => {
  const { hands: at, begun, finish } = hands(1);
  at.ask("a");
  at.ask("b");
  const closing = at.close();
  finish("a", 1);
  await closing;
  at.ask("c");
  expect(begun).toEqual(["a"]);
});

test("who hands out waits until few keys wait, or for so long", async () => {
  const { hands: mine, finish } = hands(1);
  for (const key of ["a", "b", "c"]) mine.ask(key);
  await expect(mine.eased(1, 0)).resolves.toBe(false);
  await expect(mine.eased(2, 0)).resolves.toBe(true);
  const eased = mine.eased(1, 60_000);
  finish("a");
  await expect(eased).resolves.toBe(true);
  const closing = mine.eased(0, 60_000);
  const closed = mine.close();
  await expect(closing).resolves.toBe(true);
  finish("b");
  await closed;
});

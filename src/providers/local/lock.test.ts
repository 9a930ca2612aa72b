import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";

import { createLocks } from "./lock.ts";

test("a lock has one holder at a time, also between two who share only its scope", async () => {
  const scope = randomUUID();
  const [mine, theirs] = [createLocks(scope), createLocks(scope)];
  let inside = 0;
  let most = 0;
  const visit = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  const visits = Array.from({ length: 40 }, (_, index) =>
    (index % 2 === 0 ? mine : theirs).hold("door", visit),
  );
  await Promise.all(visits);
  expect(most).toBe(1);
});

test("a lock that is held is not given, and is given once it is let go", async () => {
  const locks = createLocks(randomUUID());
  const release = await locks.acquire("door");
  expect(await locks.tryAcquire("door")).toBeUndefined();
  expect(await locks.tryAcquire("window")).toBeDefined();
  release();
  release();
  const again = await locks.tryAcquire("door");
  expect(again).toBeDefined();
  again?.();
});

test("who gives up waiting gets an error and not the lock", async () => {
  const locks = createLocks(randomUUID());
  const release = await locks.acquire("door");
  const impatient = new AbortController();
  const waiting = locks.acquire("door", impatient.signal);
  impatient.abort();
  await expect(waiting).rejects.toThrow("aborted");
  release();
  const free = await locks.tryAcquire("door");
  expect(free).toBeDefined();
  free?.();
});

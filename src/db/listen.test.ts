import { expect, test, vi } from "vitest";

import { testDatabase } from "#test/database.ts";

import { listenForNudges } from "./listen.ts";

const { db, url, observer } = await testDatabase();

test("a nudge is heard on its channel once it is committed, and on no other", async () => {
  const nudges = listenForNudges(url, observer);
  const heard: string[] = [];
  nudges.on("meter", () => heard.push("meter"));
  nudges.on("queue", () => heard.push("queue"));
  // Whatever was said before is found by looking: everybody is called once when listening begins.
  await vi.waitFor(() => expect(heard).toEqual(["meter", "queue"]), 30_000);
  await db.transaction((tx) => Promise.resolve(tx.nudge("queue")));
  await vi.waitFor(() => expect(heard).toEqual(["meter", "queue", "queue"]), 30_000);
  await nudges.close();
});

test("listening ends also while its connection is still being made", async () => {
  await expect(listenForNudges(url, observer).close()).resolves.toBeUndefined();
});

/** A console that somebody has open, over a WebSocket as a browser or the CLI opens it, and the idle watch. */
import { once } from "node:events";

import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";

import { sql } from "#db/sql.ts";

import { idleLife, type Tenancy } from "./idle-life.ts";
import { orderCloud } from "./order-cloud.ts";

const cloud = await orderCloud("2026-05-04T10:00:00");
const { idleness, leftAlone, minutes, told, until } = idleLife(cloud);
const root = cloud.operator(await cloud.customer("1.00"));

async function openConsole({ leaseId, secret }: Tenancy): Promise<WebSocket> {
  const url = `${cloud.url.replace("http", "ws")}/v1/leases/${leaseId}/console?kind=serial`;
  const socket = new WebSocket(url, "millrace.console", {
    headers: { authorization: `Bearer ${secret}` },
  });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

/** When it was noted last that somebody has it open. */
async function notedAt({ leaseId }: Tenancy): Promise<number> {
  const found = await cloud.db.maybe(
    sql`select console_at from idle_watch where request_id = ${leaseId}`,
    z.object({ console_at: z.date().nullable() }),
  );
  return found?.console_at?.getTime() ?? 0;
}

function noted(of: Tenancy, since: number): Promise<void> {
  return cloud.until(async () => expect(await notedAt(of)).toBeGreaterThanOrEqual(since));
}

test("M-VM-04: a lease whose console is open is not released, for as long as it is", async () => {
  await root.call("setIdlePolicy", {
    params: { scope: "default" },
    body: { windowHours: 2, warningHours: 1, keepDays: 3 },
  });
  const of = await leftAlone();
  await minutes(125);
  expect(await idleness(of)).toMatchObject({ state: "warned" });
  expect(await notedAt(of)).toBe(0);

  const openedAt = cloud.now();
  const socket = await openConsole(of);
  await noted(of, openedAt);
  await until(async () => expect(await idleness(of)).toMatchObject({ state: "active" }));
  const { signals } = await idleness(of);
  expect(signals.find(({ signal }) => signal === "console")?.activeAt).toBeDefined();

  // It stays open, and nothing else moves: it is noted again and again.
  for (let hours = 0; hours < 3; hours += 1) {
    // oxlint-disable-next-line no-await-in-loop -- time goes by
    await minutes(60);
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await noted(of, cloud.now());
  }
  await until(async () => expect(await idleness(of)).toMatchObject({ state: "active" }));

  socket.close();
  await once(socket, "close");
  await minutes(125);
  await until(async () => expect(await idleness(of)).toMatchObject({ state: "warned" }));
  expect(await told(of)).toEqual(["idle_warned", "idle_warned"]);
});

test("M-VM-04: who may not open it has no word in whether it is idle", async () => {
  const of = await leftAlone();
  const stranger = await cloud.customer("1.00");
  await expect(openConsole({ ...of, secret: stranger.secret })).rejects.toThrow("404");
  expect(await notedAt(of)).toBe(0);
});

/** Why it waits, what a plan would come to, and history under another policy: over the running flow. */
import { expect, test, vi } from "vitest";

import { createClient } from "#client/client.ts";
import { ensureOperator } from "#identity/operator.ts";
import { present } from "#kernel/assert.ts";

import { jobCloud } from "./job-cloud.ts";

const cloud = await jobCloud({ gpus: ["g0", "g1"] });
await cloud.start();
const credential = await cloud.db.transaction((tx) => ensureOperator(tx, Date.now()));
const { secret } = present(credential, "the operator");
const operator = createClient({ baseUrl: cloud.url, credential: secret });
const patiently = { timeout: 60_000, interval: 100 };

test("S-01, S-06, R-POOL-06: who waits is told why, where he stands and when he starts; plans and replays hold", async () => {
  const from = new Date().toISOString();
  const long = {
    script: "work",
    flavor: "t4.1",
    environment: { SIMULATE_SECONDS: "600", SIMULATE_LINES: "6000" },
  };
  const first = await cloud.submit({ ...long, name: "first", timeLimitSeconds: 3600 });
  const second = await cloud.submit({ ...long, name: "second", timeLimitSeconds: 7200 });
  await cloud.until(first.id, "running");
  await cloud.until(second.id, "running");
  const third = await cloud.submit({ ...long, name: "third", timeLimitSeconds: 600 });
  const fourth = await cloud.submit({ ...long, name: "fourth", timeLimitSeconds: 1200 });
  const why = (requestId: string): ReturnType<typeof cloud.api.call<"explainRequest">> =>
    cloud.api.call("explainRequest", { params: { requestId } });

  await vi.waitFor(async () => {
    expect(await why(fourth.id)).toMatchObject({ state: "waiting", position: 2, waiting: 2 });
  }, patiently);
  const told = await why(third.id);
  expect(told).toMatchObject({
    kind: "job",
    name: "third",
    pool: "T4",
    position: 1,
    workClass: "ordinary",
  });
  expect(told.reason?.message).toMatch(/GPU|T4|units/);
  expect(told.text).toContain("number 1 of 2 that wait for T4");
  // The job says it itself.
  const { line } = await cloud.job(fourth.id);
  expect(line).toMatchObject({ pool: "T4", position: 2, waiting: 2 });
  expect(line?.start.latest).not.toBeNull();
  expect((await cloud.job(first.id)).line).toBeNull();
  // The operator sees all of them, a page at a time.
  const page = await operator.call("listQueue", { query: { pool: "T4", limit: 1 } });
  expect(page.items).toMatchObject([
    { requestId: third.id, kind: "job", pool: "T4", position: 1, waiting: 2, members: 1 },
  ]);
  const rest = await operator.call("listQueue", {
    query: { pool: "T4", ...(page.next === undefined ? {} : { cursor: page.next }) },
  });
  expect(rest.items.map(({ requestId }) => requestId)).toEqual([fourth.id]);
  expect(rest.next).toBeUndefined();
  expect((await operator.call("listQueue", { query: { pool: "cpu" } })).items).toEqual([]);
  await expect(cloud.api.call("listQueue")).rejects.toThrow(/platform.read|may not|permission/);
  // What was submitted can be submitted again.
  const again = await cloud.api.call("getJobRequest", { params: { jobId: fourth.id } });
  expect(again).toMatchObject({ ...long, name: "fourth", timeLimitSeconds: 1200, members: 1 });
  const fifth = await cloud.api.call("createJob", { body: { ...again, name: "fifth" } });
  expect(fifth).toMatchObject({ name: "fifth", timeLimitSeconds: 1200 });
  await cloud.api.call("cancelJob", { params: { jobId: fifth.id } });
  await vi.waitFor(async () => {
    expect(await why(fourth.id)).toMatchObject({ position: 2, waiting: 2 });
  }, patiently);
  const start = present(told.start, "a range");
  const [earliest, likely, latest] = [start.earliest, start.likely, start.latest].map((at) =>
    Date.parse(present(at, "a time")),
  );
  expect(earliest).toBeLessThanOrEqual(present(likely, "likely"));
  expect(likely).toBeLessThanOrEqual(present(latest, "latest"));
  // All that runs uses its whole limit: an hour for the first.
  expect(latest).toBeLessThanOrEqual(Date.parse(first.createdAt) + 3600_000 + 120_000);
  // The platform's own figures and the log of what runs.
  const metrics = await fetch(`${cloud.url}/metrics`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  expect(metrics.status).toBe(200);
  await vi.waitFor(async () => expect(await cloud.log(first.id)).toContain("line 1"), patiently);
  expect(await why(first.id)).toMatchObject({ state: "placed", position: null, reason: null });
  await expect(
    cloud.stranger.call("explainRequest", { params: { requestId: third.id } }),
  ).rejects.toMatchObject({ code: "not_found" });

  // What somebody else would be told before he orders.
  const asked = await cloud.stranger.call("planRequest", { body: { flavor: "t4.1", count: 2 } });
  expect(asked).toMatchObject({ fits: 0, never: false, line: { pool: "T4", waiting: 2 } });
  expect(asked.reason?.message).toContain("GPU");
  const small = await cloud.stranger.call("planRequest", { body: { flavor: "nano", count: 3 } });
  expect(small).toMatchObject({ fits: 3, reason: null });
  await expect(
    cloud.stranger.call("planRequest", { body: { flavor: "h100.1" } }),
  ).resolves.toMatchObject({ fits: 0, never: true });

  // What other hosts would do.
  const host = present((await operator.call("listHosts")).items[0], "the host").name;
  const more = await operator.call("planFleet", {
    body: { changes: [{ do: "add", like: host, count: 1 }] },
  });
  expect(more.before).toMatchObject({ hosts: 1, gpus: 2, gpuUtilization: 1, waiting: 2 });
  expect(more.after).toMatchObject({ hosts: 2, gpus: 4, gpuUtilization: 1, waiting: 0 });
  expect(Number(more.after.revenuePerHour)).toBe(2 * Number(more.before.revenuePerHour));
  expect(more.started.map(({ requestId }) => requestId).toSorted()).toEqual(
    [third.id, fourth.id].toSorted(),
  );
  const none = await operator.call("planFleet", { body: { changes: [{ do: "remove", host }] } });
  expect(none.displaced.map(({ name }) => name).toSorted()).toEqual(["first", "second"]);
  for (const { reason } of none.displaced) expect(reason).not.toBeNull();
  expect(none.after).toMatchObject({ hosts: 0, gpus: 0, waiting: 2, revenuePerHour: "0.00" });
  await expect(
    operator.call("planFleet", { body: { changes: [{ do: "remove", host: "nobody" }] } }),
  ).rejects.toMatchObject({ code: "not_found" });

  // What happened, and what would have with twice the hosts.
  const until = new Date(Date.now() + 1_000).toISOString();
  const replayed = await operator.call("replaySchedule", {
    body: { from, until, policy: "fifo", changes: [{ do: "add", like: host, count: 1 }] },
  });
  expect(replayed.real).toMatchObject({ asked: 4, started: 2, stillWaiting: 2 });
  expect(replayed.other).toMatchObject({ asked: 4, started: 4, stillWaiting: 0 });
  const same = await operator.call("replaySchedule", { body: { from, until } });
  expect(same.usual).toEqual(same.other);
  expect(same.other).toMatchObject({ asked: 4, started: 2, stillWaiting: 2 });
  await expect(
    operator.call("replaySchedule", { body: { from: until, until: from } }),
  ).rejects.toMatchObject({ code: "invalid_request" });

  for (const { id } of [third, fourth, first, second]) {
    await cloud.api.call("cancelJob", { params: { jobId: id } });
  }
  await vi.waitFor(async () => {
    expect(await why(third.id)).toMatchObject({ state: "none", reason: null });
  }, patiently);
});

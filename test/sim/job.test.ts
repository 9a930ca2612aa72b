/** Jobs through the API and the stages, on hosts that do not exist. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";
import { removeAttemptFiles } from "#flow/provision/workload.ts";

import { jobCloud, whole } from "./job-cloud.ts";

const cloud = await jobCloud();
await cloud.start();

const usageRow = z.object({
  attempt: z.int(),
  sku: z.string(),
  billable: z.boolean(),
  end_reason: z.string().nullable(),
  open: z.boolean(),
  ms: z.number(),
});

/** What was metered of a job, once everything of it is closed. */
function usageOf(jobId: string): Promise<z.output<typeof usageRow>[]> {
  return vi.waitFor(
    async () => {
      const rows = await cloud.db.rows(
        sql`select i.turn as attempt, u.sku, u.billable, u.end_reason, u.ended_at is null as open,
            (extract(epoch from u.ended_at - u.started_at) * 1000)::float8 as ms
          from usage_interval u join instance i on i.id = u.instance_id
          where u.request_id = ${jobId} order by i.turn, u.sku`,
        usageRow,
      );
      const behind = await cloud.db.rows(
        sql`select i.id from instance i left join meter_cursor c on c.instance_id = i.id
          where i.request_id = ${jobId} and (i.metering->>'seq')::int > coalesce(c.metered_seq, 0)`,
        z.object({ id: z.string() }),
      );
      if (behind.length > 0) throw new Error("not metered yet");
      return rows;
    },
    { timeout: 30_000, interval: 20 },
  );
}

function lastInstance(job: Job): string {
  const id = job.attempts.at(-1)?.instanceId;
  if (id === undefined || id === null) throw new Error("the job has no machine");
  return id;
}

test("M-JOB-02, ST-03: a job is submitted, dispatched, followed, and its results are kept", async () => {
  const input = await cloud.upload("data.csv", "1,2,3\n");
  const job = await cloud.submit({
    script: "wc -l data.csv",
    inputs: [input.id],
    environment: { SIMULATE_SECONDS: "0.3", SIMULATE_LINES: "3" },
  });
  expect(job.state).toMatch(/queued|starting/);
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    reason: null,
    attempts: [{ number: 1, state: "ended", end: { kind: "exited", exitCode: 0 }, billable: true }],
  });
  const log = await cloud.log(job.id);
  expect(log).toContain("[simulated] line 3 of 3\n");
  expect(done.attempts[0]?.logBytes).toBe(Buffer.byteLength(log));
  const results = await cloud.api.bytes("downloadJobResults", { params: { jobId: job.id } });
  expect(results.contentType).toBe("application/x-tar");
  const bytes = await whole(results);
  expect(bytes).toHaveLength(done.resultsBytes ?? 0);
  expect(bytes.toString("latin1")).toContain("[simulated] nothing ran");
  const usage = await usageOf(job.id);
  expect(usage).toMatchObject([
    { sku: "cpu.core", billable: true, end_reason: "exited", open: false },
    { sku: "mem.gib", billable: true, end_reason: "exited", open: false },
  ]);
  for (const { ms } of usage) expect(ms).toBeGreaterThanOrEqual(290);
});

test("S-11: framework and priority travel with the job; its attempt knows who it is", async () => {
  const job = await cloud.submit({
    command: ["train", "--epochs", "3"],
    framework: "pytorch",
    environment: { SIMULATE_SECONDS: "0.1", EPOCHS: "3" },
  });
  const done = await cloud.ended(job.id);
  const { workload, spec } = await cloud.db.one(
    sql`select r.workload, i.spec->'workload' as spec from request r
      join instance i on i.request_id = r.id where r.id = ${job.id}`,
    z.object({
      workload: z.object({ framework: z.string() }),
      spec: z.object({
        command: z.array(z.string()),
        environment: z.record(z.string(), z.string()),
      }),
    }),
  );
  expect(workload.framework).toBe("pytorch");
  expect(spec.command).toEqual(["train", "--epochs", "3"]);
  expect(spec.environment).toMatchObject({
    EPOCHS: "3",
    MILLRACE_JOB_ID: job.id,
    MILLRACE_ATTEMPT: "1",
  });
  expect(done.state).toBe("succeeded");
});

test.each([
  [
    "R-PAYG-7: an exit code",
    { SIMULATE_EXIT: "3", SIMULATE_SECONDS: "0.1" },
    { state: "failed", reason: { code: "exited" }, end: { kind: "exited", exitCode: 3 } },
  ],
  [
    "R-PAYG-7: a signal",
    { SIMULATE_SIGNAL: "SIGSEGV", SIMULATE_SECONDS: "0.1" },
    { state: "failed", reason: { code: "signaled" }, end: { kind: "signaled", signal: "SIGSEGV" } },
  ],
  [
    "S-07, R-PAYG-7: its time limit",
    { SIMULATE_SECONDS: "60" },
    { state: "timed_out", reason: { code: "timed_out" }, end: { kind: "timed_out" } },
  ],
] as const)(
  "%s ends a job, which says so, is billed, and is not tried again",
  async (_, environment, { state, reason, end }) => {
    const job = await cloud.submit({ script: "work", environment, timeLimitSeconds: 1 });
    const done = await cloud.ended(job.id);
    expect(done).toMatchObject({ state, reason, attempts: [{ end, billable: true }] });
    expect(done.attempts).toHaveLength(1);
    for (const interval of await usageOf(job.id)) {
      expect(interval).toMatchObject({ billable: true, end_reason: end.kind, open: false });
    }
  },
);

test("S-09, R-PAYG-7: an attempt that the platform lost is free and is tried again on a new machine", async () => {
  const job = await cloud.submit({
    script: "work",
    environment: { SIMULATE_SECONDS: "5", SIMULATE_LINES: "10" },
    platformRetriesMax: 2,
  });
  const running = await cloud.until(job.id, "running");
  await vi.waitFor(async () => expect(await cloud.log(job.id)).toContain("line 1 of 10"), 30_000);
  cloud.provider.platform.crash(lastInstance(running));
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    reason: null,
    attempts: [
      { number: 1, end: { kind: "platform_fault" }, billable: false },
      { number: 2, end: { kind: "exited", exitCode: 0 }, billable: true },
    ],
  });
  expect(done.attempts[0]?.instanceId).not.toBe(done.attempts[1]?.instanceId);
  const first = await cloud.log(job.id, 1);
  expect(first).toContain("line 1 of 10");
  expect(first).toContain("lost by the platform");
  expect(first).not.toContain("line 10 of 10");
  expect(await cloud.log(job.id, 2)).toContain("line 10 of 10");
  for (const { attempt, billable } of await usageOf(job.id)) expect(billable).toBe(attempt === 2);
});

test("S-09: retries are bounded, and the last fault is the reason", async () => {
  const job = await cloud.submit({
    script: "work",
    environment: { SIMULATE_SECONDS: "60" },
    platformRetriesMax: 1,
  });
  for (const number of [1, 2]) {
    const running = await vi.waitFor(async () => {
      const found = await cloud.job(job.id);
      expect(found.attempts.at(-1)).toMatchObject({ number, state: "running" });
      return found;
    }, 8_000);
    cloud.provider.platform.crash(lastInstance(running));
  }
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "failed",
    reason: { code: "platform_fault", details: { attempt: 2, retriesMax: 1 } },
  });
  expect(done.attempts.map(({ billable }) => billable)).toEqual([false, false]);
  for (const { billable } of await usageOf(job.id)) expect(billable).toBe(false);
});

test("R-PAYG-6, R-PAYG-7: a cancel is billed for the time that ran, and ends the machine", async () => {
  const job = await cloud.submit({ script: "work", environment: { SIMULATE_SECONDS: "60" } });
  const running = await cloud.until(job.id, "running");
  const canceling = await cloud.api.call("cancelJob", { params: { jobId: job.id } });
  expect(canceling.state).toMatch(/canceling|canceled/);
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "canceled",
    reason: { code: "canceled" },
    attempts: [{ end: { kind: "canceled" }, billable: true, state: "ended" }],
  });
  expect(cloud.provider.platform.machine(lastInstance(running))).toBeUndefined();
  const usage = await usageOf(job.id);
  expect(usage).toHaveLength(2);
  for (const interval of usage) {
    expect(interval).toMatchObject({ billable: true, end_reason: "canceled", open: false });
  }
  await expect(cloud.api.call("cancelJob", { params: { jobId: job.id } })).rejects.toMatchObject({
    code: "wrong_state",
  });
  await expect(
    cloud.api.bytes("downloadJobResults", { params: { jobId: job.id } }),
  ).rejects.toMatchObject({ code: "wrong_state" });
});

test("a job that is canceled while it waits or starts costs nothing", async () => {
  for (let index = 0; index < 5; index += 1) {
    const job = await cloud.submit({ script: "work", environment: { SIMULATE_SECONDS: "60" } });
    await new Promise((resolve) => {
      setTimeout(resolve, index * 8);
    });
    await cloud.api.call("cancelJob", { params: { jobId: job.id } });
    const done = await cloud.ended(job.id);
    expect(done.state).toBe("canceled");
    const attempt = done.attempts[0];
    expect(attempt?.billable ?? false).toBe((attempt?.startedAt ?? null) !== null);
    const usage = await usageOf(job.id);
    expect(usage.every(({ open }) => !open)).toBe(true);
    expect(usage).toHaveLength((attempt?.startedAt ?? null) === null ? 0 : 2);
  }
});

test("S-09: a job that the platform cannot start is tried again, and then says why", async () => {
  const { faults } = cloud.provider.platform;
  faults.failNext("create", { code: "unknown", effect: "none" });
  const job = await cloud.submit({
    script: "work",
    environment: { SIMULATE_SECONDS: "0.1" },
    platformRetriesMax: 1,
  });
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    attempts: [
      { number: 1, end: { kind: "platform_fault" }, billable: false, startedAt: null },
      { number: 2, end: { kind: "exited" } },
    ],
  });
});

test("what an attempt is handed is removed with its machine", async () => {
  const job = await cloud.submit({ script: "work", environment: { SIMULATE_SECONDS: "60" } });
  const running = await cloud.until(job.id, "running");
  const attempts = join(cloud.root, "attempts");
  expect(await readdir(attempts)).toContain(lastInstance(running));
  await cloud.api.call("cancelJob", { params: { jobId: job.id } });
  await cloud.ended(job.id);
  await removeAttemptFiles(cloud.db, cloud.root);
  expect(await readdir(attempts)).not.toContain(lastInstance(running));
});

test("jobs are listed by state, name and project, newest first", async () => {
  const job = await cloud.submit({
    name: "listed",
    script: "work",
    environment: { SIMULATE_EXIT: "1", SIMULATE_SECONDS: "0.05" },
  });
  await cloud.ended(job.id);
  const found = await cloud.api.call("listJobs", { query: { state: "failed", name: "listed" } });
  expect(found.items.map(({ id }) => id)).toEqual([job.id]);
  const all = await cloud.api.call("listJobs", { query: { limit: 2 } });
  expect(all.items[0]?.id).toBe(job.id);
  expect(all.next).toBeDefined();
  expect((await cloud.stranger.call("listJobs")).items).toEqual([]);
});

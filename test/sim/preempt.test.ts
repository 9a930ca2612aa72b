/** Making room and leaving what is sick, through the API and the running stages, on simulated hosts. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import type { RequestOf } from "#client/types.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";
import { preemptLoop } from "#flow/provision/preempt-loop.ts";
import { setJobPolicy } from "#flow/admit/job-policy.ts";
import { attemptAt } from "#storage/disk.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({ gpus: ["g0"] });

/** As long as it takes on a loaded machine. */
function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 90_000, interval: 50 });
}

function jobThat(id: string, isThere: (job: Job) => boolean): Promise<Job> {
  return eventually(async () => {
    const job = await cloud.job(id);
    if (!isThere(job)) throw new Error(`the job is still ${JSON.stringify(job)}`);
    return job;
  });
}

const long = { SIMULATE_SECONDS: "100000" };

function gpuJob(ask: Partial<RequestOf<"createJob">["body"]> = {}): Promise<Job> {
  return cloud.submit({
    flavor: "t4.1",
    script: "train",
    environment: long,
    preemptible: true,
    checkpoint: "cp model $MILLRACE_CHECKPOINT",
    ...ask,
  });
}

/** Of another customer, in the highest class. */
async function urgent(environment: Readonly<Record<string, string>>): Promise<string> {
  const { id } = await cloud.stranger.call("createJob", {
    body: { name: "urgent", flavor: "t4.1", script: "now", environment },
  });
  await cloud.db.execute(sql`update request set priority = 10 where id = ${id}`);
  return id;
}

function strangersJob(id: string): Promise<Job> {
  return cloud.stranger.call("getJob", { params: { jobId: id } });
}

const usageRow = z.object({
  attempt: z.int(),
  billable: z.boolean(),
  end_reason: z.string().nullable(),
});

function gpuUsage(jobId: string): Promise<z.output<typeof usageRow>[]> {
  return cloud.db.rows(
    sql`select i.turn as attempt, u.billable, u.end_reason from usage_interval u
      join instance i on i.id = u.instance_id
      where u.request_id = ${jobId} and u.sku like 'gpu.%' order by i.turn`,
    usageRow,
  );
}

/** What the attempt's machine was handed. */
async function handed(instanceId: string | null | undefined): Promise<string> {
  const path = join(attemptAt(cloud.root, instanceId ?? ""), "inputs.tar");
  return (await readFile(path)).toString("latin1");
}

async function cancel(id: string): Promise<void> {
  await cloud.api.call("cancelJob", { params: { jobId: id } });
  await jobThat(id, ({ endedAt }) => endedAt !== null);
}

beforeAll(async () => {
  await cloud.db.transaction((tx) =>
    setJobPolicy(tx, {
      policy: {
        noticeSeconds: 120,
        preemption: { ranSecondsMin: 0, waitedSecondsMin: 0 },
        silentSecondsMax: 600,
      },
      at: Date.now(),
    }),
  );
  await cloud.start();
}, timeout);

test(
  "S-05, R-PAYG-7: a preemptible job makes room for a higher class, is billed, and goes on from what it saved",
  { timeout },
  async () => {
    const victim = await gpuJob();
    await jobThat(victim.id, ({ state }) => state === "running");
    const winner = await urgent({ SIMULATE_SECONDS: "30" });

    const told = await jobThat(victim.id, ({ preemptions }) => preemptions.length > 0);
    expect(told.preemptions[0]).toMatchObject({ attempt: 1, cause: "preemption" });
    expect(JSON.stringify(told)).not.toContain(winner);
    const requeued = await jobThat(victim.id, ({ attempts }) => attempts.length === 2);
    expect(requeued.attempts).toMatchObject([
      { number: 1, state: "ended", end: { kind: "preempted" }, billable: true },
      { number: 2, state: "waiting" },
    ]);
    expect(requeued).toMatchObject({ state: "queued", preemptions: [{ state: "done" }] });
    await eventually(async () => expect((await strangersJob(winner)).state).toBe("running"));
    expect(await gpuUsage(victim.id)).toEqual([
      { attempt: 1, billable: true, end_reason: "preempted" },
    ]);
    const { items } = await cloud.api.call("listNotices", { query: {} });
    expect(items.some(({ kind }) => kind === "job_preempted")).toBe(true);
    const audited = await cloud.api.call("listAudit", { query: {} });
    expect(audited.items.some(({ action }) => action === "job.preempt")).toBe(true);

    cloud.forward(60_000);
    await eventually(async () => expect((await strangersJob(winner)).state).toBe("succeeded"));
    const again = await jobThat(victim.id, ({ attempts }) => attempts[1]?.state === "running");
    const inputs = await handed(again.attempts[1]?.instanceId);
    expect(inputs).toContain("results/checkpoint/simulated.txt");
    expect(inputs).toContain("[simulated] nothing ran for");
    const asked = await cloud.db.rows(
      sql`select asked_at from queue_entry where request_id = ${victim.id}`,
      z.object({ asked_at: z.date().nullable() }),
    );
    expect(asked).toHaveLength(2);
    expect(asked[0]).toEqual(asked[1]);
    await cancel(victim.id);
  },
);

test(
  "S-05: a preemption whose need is gone is called off, and the program goes on",
  { timeout },
  async () => {
    const victim = await gpuJob({ environment: { ...long, SIMULATE_SAVE: "100" } });
    await jobThat(victim.id, ({ state }) => state === "running");
    const winner = await urgent(long);
    const instanceId = (await cloud.job(victim.id)).attempts[0]?.instanceId ?? "";
    const interrupted = (): boolean =>
      cloud.provider.platform.machine(instanceId)?.workload?.interrupted !== null;
    await eventually(async () => expect(await Promise.resolve(interrupted())).toBe(true));
    await cloud.stranger.call("cancelJob", { params: { jobId: winner } });
    await eventually(async () => expect(await Promise.resolve(interrupted())).toBe(false));
    const spared = await cloud.job(victim.id);
    expect(spared).toMatchObject({ state: "running", preemptions: [{ state: "called_off" }] });
    expect(spared.attempts).toHaveLength(1);
    await cancel(victim.id);
  },
);

test("S-05: who did not say that he is preemptible stays", { timeout }, async () => {
  const other = await gpuJob({ preemptible: false });
  await jobThat(other.id, ({ state }) => state === "running");
  const winner = await urgent(long);
  await eventually(async () => {
    const { state, reason } = await strangersJob(winner);
    expect(state).toBe("queued");
    expect(reason).not.toBeNull();
  });
  const { pass } = preemptLoop({ db: cloud.db, now: Date.now });
  await pass(new AbortController().signal);
  expect((await cloud.job(other.id)).preemptions).toEqual([]);
  await cloud.stranger.call("cancelJob", { params: { jobId: winner } });
  await cancel(other.id);
});

test(
  "S-08: a guest that hangs is ended with the reason, costs nothing, and its job is tried again",
  { timeout },
  async () => {
    const job = await gpuJob({ platformRetriesMax: 1 });
    const running = await jobThat(job.id, ({ state }) => state === "running");
    const instanceId = running.attempts[0]?.instanceId ?? "";
    cloud.provider.platform.hang(instanceId);
    cloud.forward(601_000);
    const again = await jobThat(job.id, ({ attempts }) => attempts[1]?.state === "running");
    expect(again.attempts[0]).toMatchObject({
      billable: false,
      end: {
        kind: "platform_fault",
        detail: expect.stringMatching(/has not answered for 6\d\d s/),
      },
    });
    expect(cloud.provider.platform.machine(instanceId)).toBeUndefined();
    await cancel(job.id);
  },
);

test(
  "S-07: no job may run longer than the operator allows, 72 h unless he says otherwise",
  { timeout },
  async () => {
    const usual = await cloud.submit({ script: "x", environment: { SIMULATE_SECONDS: "0" } });
    expect(usual.timeLimitSeconds).toBe(72 * 3600);
    const set = (timeLimitSecondsMax: number): Promise<unknown> =>
      cloud.db.transaction((tx) =>
        setJobPolicy(tx, { policy: { timeLimitSecondsMax }, at: Date.now() }),
      );
    await set(3600);
    await expect(cloud.submit({ script: "x", timeLimitSeconds: 3601 })).rejects.toThrow(/3600 s/);
    const short = await cloud.submit({ script: "x", environment: long });
    expect(short.timeLimitSeconds).toBe(3600);
    await jobThat(short.id, ({ state }) => state === "running");
    cloud.forward(3_700_000);
    const ended = await jobThat(short.id, ({ endedAt }) => endedAt !== null);
    expect(ended).toMatchObject({ state: "timed_out", attempts: [{ billable: true }] });
    await set(72 * 3600);
  },
);

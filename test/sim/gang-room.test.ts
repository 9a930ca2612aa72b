/** Gangs that wait, make room, and leave what is sick; what is said of them; through the API. */
import { beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import type { RequestOf } from "#client/types.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";
import { setJobPolicy } from "#flow/admit/job-policy.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({ gpus: ["g0", "g1", "g2", "g3"] });
const long = { SIMULATE_SECONDS: "100000" };

type Member = NonNullable<NonNullable<Job["gang"]>["members"]>[number];

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

function membersOf(job: Job): Member[] {
  return job.gang?.members ?? [];
}

async function gang(ask: Partial<RequestOf<"createJob">["body"]>): Promise<Job> {
  return cloud.submit({ flavor: "t4.1", script: "train", environment: long, ...ask });
}

async function runningGang(ask: Partial<RequestOf<"createJob">["body"]>): Promise<Job> {
  const { id } = await gang(ask);
  return jobThat(id, (job) => membersOf(job).every(({ state }) => state === "running"));
}

async function cancel(id: string): Promise<void> {
  await cloud.api.call("cancelJob", { params: { jobId: id } });
  await jobThat(id, ({ endedAt }) => endedAt !== null);
}

beforeAll(async () => {
  await cloud.db.transaction((tx) =>
    setJobPolicy(tx, {
      policy: { noticeSeconds: 120, preemption: { ranSecondsMin: 0, waitedSecondsMin: 0 } },
      at: Date.now(),
    }),
  );
  await cloud.start();
}, timeout);

test(
  "S-05, R-PAYG-7: a gang makes room as a whole, all its members save their work, and it comes back whole",
  { timeout },
  async () => {
    const job = await runningGang({ members: 4, preemptible: true, checkpoint: "save" });
    const { id: winner } = await cloud.stranger.call("createJob", {
      body: {
        name: "urgent",
        flavor: "t4.1",
        script: "now",
        environment: { SIMULATE_SECONDS: "30" },
      },
    });
    await cloud.db.execute(sql`update request set priority = 10 where id = ${winner}`);
    const back = await jobThat(job.id, (found) =>
      membersOf(found).every(({ attempts }) => attempts.length === 2),
    );
    for (const { attempts } of membersOf(back)) {
      expect(attempts[0]).toMatchObject({ end: { kind: "preempted" }, billable: true });
    }
    expect(back).toMatchObject({ preemptions: [{ cause: "preemption", state: "done" }] });
    const { items } = await cloud.api.call("listNotices", { query: {} });
    expect(items.filter(({ kind }) => kind === "job_preempted")).toHaveLength(1);
    await eventually(async () => {
      const params = { jobId: winner };
      expect((await cloud.stranger.call("getJob", { params })).state).toBe("running");
    });
    const waiting = await jobThat(job.id, ({ reason }) => reason?.details?.["members"] === 4);
    expect(waiting).toMatchObject({ state: "queued", reason: { details: { fitting: 3 } } });
    cloud.forward(60_000);
    await jobThat(job.id, (found) =>
      membersOf(found).every(({ state, attempts }) => state === "running" && attempts.length === 2),
    );
    await cancel(job.id);
  },
);

test(
  "S-10: off a sick device all members go on elsewhere, for free and as no retry",
  { timeout },
  async () => {
    const job = await runningGang({ members: 2, platformRetriesMax: 0 });
    const first = membersOf(job)[0]?.attempts[0]?.instanceId ?? "";
    const device = cloud.provider.platform.machine(first)?.spec.gpus[0]?.deviceId ?? "";
    cloud.provider.platform.conditions.set("h1", { sickGpus: [device] });
    const again = await jobThat(job.id, (found) =>
      membersOf(found).every(({ state, attempts }) => state === "running" && attempts.length === 2),
    );
    for (const { attempts } of membersOf(again)) {
      expect(attempts[0]).toMatchObject({ end: { kind: "platform_fault", moved: true } });
      expect(attempts[0]?.billable).toBe(false);
    }
    await cancel(job.id);
    cloud.provider.platform.conditions.set("h1", { sickGpus: [] });
    await eventually(async () => {
      const sick = await cloud.db.rows(
        sql`select id from gpu_device where not healthy`,
        z.object({ id: z.string() }),
      );
      expect(sick).toEqual([]);
    });
  },
);

test(
  "S-16: why and plan say of a gang how many it has, how many would fit, and its one place in line",
  { timeout },
  async () => {
    const holder = await runningGang({ members: 2 });
    const waits = await gang({ members: 3 });
    const behind = await gang({ members: 4 });
    await jobThat(behind.id, ({ reason }) => reason !== null);
    const member = membersOf(waits)[2]?.id ?? "";
    const why = await eventually(async () => {
      const found = await cloud.api.call("explainRequest", { params: { requestId: member } });
      if (found.waiting !== 2 || found.gang?.fits !== 2) throw new Error(JSON.stringify(found));
      return found;
    });
    expect(why).toMatchObject({ position: 1, waiting: 2, gang: { size: 3, fits: 2 } });
    expect(why.text).toMatch(/3 members/);
    const plan = (body: RequestOf<"planRequest">["body"]) =>
      cloud.api.call("planRequest", { body });
    expect(await plan({ flavor: "t4.1", count: 2, together: "pack" })).toMatchObject({
      fits: 2,
      reason: null,
      never: false,
    });
    expect(await plan({ flavor: "t4.1", count: 3, together: "pack" })).toMatchObject({
      fits: 2,
      never: false,
    });
    expect(await plan({ flavor: "t4.1", count: 2, together: "spread" })).toMatchObject({
      fits: 1,
      never: true,
    });
    expect(await plan({ flavor: "t4.1", count: 5, together: "pack" })).toMatchObject({
      never: true,
    });
    // One that is still in line is canceled whole, and nothing of it is left.
    await cancel(waits.id);
    await cancel(behind.id);
    await cancel(holder.id);
    const left = await cloud.db.rows(
      sql`select id from request where gang_id is not null and ended_at is null
        union all select request_id from placement where state <> 'none'`,
      z.object({ id: z.string() }),
    );
    expect(left).toEqual([]);
  },
);

test("quota and credit are asked for all members, and none is there if they do not suffice", async () => {
  await expect(
    cloud.api.call("createJob", {
      body: { name: "wide", flavor: "t4.1", script: "x", members: 4, timeLimitSeconds: 60 },
    }),
  ).resolves.toMatchObject({ gang: { size: 4 } });
  await cloud.db.execute(sql`
    insert into quota_limit (tenant_id, limits) values (${cloud.tenantId}, ${JSON.stringify({
      vcpus: 64,
      memoryMiB: 262_144,
      diskGiB: 4_096,
      leases: 50,
      jobs: 5,
      snapshots: 50,
      storageGiB: 100,
      gpus: { T4: 16 },
    })}) on conflict (tenant_id) do update set limits = excluded.limits`);
  const before = await requests();
  await expect(cloud.submit({ flavor: "nano", script: "x", members: 6 })).rejects.toMatchObject({
    code: "quota_exceeded",
  });
  expect(await requests()).toBe(before);
});

async function requests(): Promise<number> {
  const { count } = await cloud.db.one(
    sql`select count(*)::int as count from request`,
    z.object({ count: z.int() }),
  );
  return count;
}

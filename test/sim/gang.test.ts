/** Jobs of several members, through the API and the running stages, on simulated hosts. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import type { RequestOf } from "#client/types.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";

import { jobCloud, whole } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({ gpus: ["g0", "g1", "g2", "g3"] });
await cloud.start();

type Ask = Partial<RequestOf<"createJob">["body"]>;
type Member = NonNullable<NonNullable<Job["gang"]>["members"]>[number];

const long = { SIMULATE_SECONDS: "100000" };

/** As long as it takes on a loaded machine. */
function jobThat(id: string, isThere: (job: Job) => boolean): Promise<Job> {
  return vi.waitFor(
    async () => {
      const job = await cloud.job(id);
      if (!isThere(job)) throw new Error(`the job is still ${JSON.stringify(job)}`);
      return job;
    },
    { timeout: 90_000, interval: 50 },
  );
}

function membersOf(job: Job): Member[] {
  return job.gang?.members ?? [];
}

async function runningGang(ask: Ask): Promise<Job> {
  const { id } = await cloud.submit({ script: "train", environment: long, ...ask });
  return jobThat(id, (job) => membersOf(job).every(({ state }) => state === "running"));
}

function statesOf(job: Job): string[] {
  return membersOf(job).map(({ state }) => state);
}

function machineOf(member: Member | undefined): string {
  return member?.attempts.at(-1)?.instanceId ?? "";
}

async function cancel(id: string): Promise<void> {
  await cloud.api.call("cancelJob", { params: { jobId: id } });
  await jobThat(id, ({ endedAt }) => endedAt !== null);
}

const specRow = z.object({
  name: z.string(),
  environment: z.record(z.string(), z.string()),
});

async function specOf({ attempts }: Member): Promise<z.output<typeof specRow>> {
  return cloud.db.one(
    sql`select spec->>'name' as name, spec->'workload'->'environment' as environment
      from instance where id = ${attempts.at(-1)?.instanceId}`,
    specRow,
  );
}

test(
  "S-07: the members of a gang are one job, know who they are, and each has its log and its results",
  { timeout },
  async () => {
    const asked = await cloud.submit({
      name: "ranks",
      script: "train",
      members: 3,
      environment: { SIMULATE_SECONDS: "0.1" },
    });
    expect(asked.gang).toMatchObject({ id: asked.id, size: 3, rank: 0 });
    const job = await jobThat(asked.id, ({ endedAt }) => endedAt !== null);
    expect(job).toMatchObject({ state: "succeeded", reason: null });
    expect(membersOf(job)).toMatchObject(
      [0, 1, 2].map((rank) => ({
        rank,
        name: rank === 0 ? "ranks" : `ranks-${rank}`,
        state: "succeeded",
        attempts: [{ number: 1, billable: true }],
      })),
    );
    for (const member of membersOf(job)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { name, environment } = await specOf(member);
      expect(name).toBe(member.name);
      expect(environment).toMatchObject({
        RANK: String(member.rank),
        WORLD_SIZE: "3",
        LOCAL_RANK: "0",
        NODE_RANK: String(member.rank),
        NNODES: "3",
        MASTER_PORT: "29500",
        ...(member.rank === 0 ? {} : { MASTER_ADDR: membersOf(job)[0]?.address }),
      });
    }
    const params = { jobId: job.id };
    const log = await whole(await cloud.api.bytes("readJobLog", { params, query: { member: 2 } }));
    expect(log.toString()).toContain("[simulated] ended with exit code 0");
    const results = cloud.api.bytes("downloadJobResults", { params, query: { member: 1 } });
    expect((await whole(await results)).length).toBeGreaterThan(0);
    await expect(
      cloud.api.bytes("readJobLog", { params, query: { member: 3 } }),
    ).rejects.toMatchObject({ status: 404 });
    const { items } = await cloud.api.call("listJobs", { query: { state: "succeeded" } });
    expect(items.filter(({ gang }) => gang?.id === job.id)).toHaveLength(1);
    const billed = await cloud.db.rows(
      sql`select distinct request_id as id from usage_interval where request_id = any(${membersOf(job).map(({ id }) => id)}::uuid[])`,
      z.object({ id: z.string() }),
    );
    expect(billed).toHaveLength(3);
  },
);

test("S-07: one member that fails ends the others", { timeout }, async () => {
  const job = await runningGang({ members: 3 });
  cloud.provider.platform.endProgram(machineOf(membersOf(job)[1]), 3);
  const ended = await jobThat(job.id, ({ endedAt }) => endedAt !== null);
  expect(ended).toMatchObject({
    state: "failed",
    reason: { code: "member_failed", details: { member: 1 } },
  });
  expect(ended.reason?.message).toContain("exit code 3");
  expect(statesOf(ended)).toEqual(["canceled", "failed", "canceled"]);
});

test("S-07: canceled is the whole gang, whichever member is named", { timeout }, async () => {
  const job = await runningGang({ members: 2 });
  await cancel(membersOf(job)[1]?.id ?? "");
  const ended = await jobThat(job.id, ({ endedAt }) => endedAt !== null);
  expect(ended).toMatchObject({ state: "canceled", reason: { code: "canceled" } });
  expect(statesOf(ended)).toEqual(["canceled", "canceled"]);
});

test(
  "S-09, R-PAYG-7: what the platform does to one member sends all of them back, for free, as one",
  { timeout },
  async () => {
    const job = await runningGang({ members: 3, platformRetriesMax: 1 });
    cloud.provider.platform.crash(machineOf(membersOf(job)[2]));
    const again = await jobThat(job.id, (found) =>
      membersOf(found).every(({ state, attempts }) => state === "running" && attempts.length === 2),
    );
    expect(again.reason).toMatchObject({ code: "platform_fault", details: { member: 2 } });
    for (const { attempts } of membersOf(again)) {
      expect(attempts[0]).toMatchObject({ end: { kind: "platform_fault" }, billable: false });
    }
    // The second fault of another member is the one that is too many.
    cloud.provider.platform.crash(machineOf(membersOf(again)[0]));
    const ended = await jobThat(job.id, ({ endedAt }) => endedAt !== null);
    expect(ended).toMatchObject({ state: "failed", reason: { code: "platform_fault" } });
  },
);

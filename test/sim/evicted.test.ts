/** What a platform's own queue takes away: how it ends, what it costs, and how its job goes on. */
import { randomUUID } from "node:crypto";

import { beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";
import { formatFen } from "#kernel/money.ts";
import { multiply, parseRational, rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import type { EvictedBy } from "#providers/provider.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud();

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

const usageRow = z.object({
  attempt: z.int(),
  billable: z.boolean(),
  from: z.number(),
  until: z.number(),
});

function usage(jobId: string): Promise<z.output<typeof usageRow>[]> {
  return cloud.db.rows(
    sql`select i.turn as attempt, u.billable,
        (extract(epoch from u.started_at) * 1000)::float8 as from,
        (extract(epoch from u.ended_at) * 1000)::float8 as until
      from usage_interval u join instance i on i.id = u.instance_id
      where u.request_id = ${jobId} and u.sku = 'cpu.core' and u.ended_at is not null
      order by i.turn`,
    usageRow,
  );
}

async function noticesOf(kind: string, name: string): Promise<number> {
  const { items } = await cloud.api.call("listNotices", { query: {} });
  return items.filter((each) => each.kind === kind && each.data["job"] === name).length;
}

beforeAll(async () => {
  await cloud.start();
}, timeout);

const cases = [
  ["preempted", true, "job_evicted", { kind: "preempted", detail: "Why it was." }],
  ["reclaimed", true, "job_evicted", { kind: "preempted", detail: "Why it was." }],
  ["node", false, "job_taken_off", { kind: "platform_fault", detail: "Why it was.", moved: true }],
  ["queue", false, "job_taken_off", { kind: "platform_fault", detail: "Why it was.", moved: true }],
] as const satisfies readonly (readonly [EvictedBy, boolean, string, object])[];

test.each(cases)(
  "R-PAYG-7: a job that the cluster takes off (%s) goes on from what it saved, each second billed once or not at all",
  { timeout },
  async (by, billed, notice, end) => {
    const name = `taken-${randomUUID()}`;
    const { id } = await cloud.submit({
      name,
      script: "train",
      environment: { SIMULATE_SECONDS: "100000" },
      checkpoint: "cp model $MILLRACE_CHECKPOINT",
      platformRetriesMax: 0,
    });
    const running = await jobThat(id, ({ attempts }) => attempts[0]?.state === "running");
    cloud.forward(60_000);
    cloud.provider.platform.evict(running.attempts[0]?.instanceId ?? "", by, "Why it was.");
    const again = await jobThat(id, ({ attempts }) => attempts.length === 2);
    expect(again.attempts[0]).toMatchObject({ state: "ended", billable: billed, end });
    expect(again.reason?.message).toContain("Why it was.");
    cloud.forward(31_000);
    await jobThat(id, ({ attempts }) => attempts[1]?.state === "running");

    const [first] = again.attempts;
    const times = [first?.startedAt, first?.endedAt].map((at) => Date.parse(at ?? ""));
    await eventually(async () => {
      const [held, ...others] = await usage(id);
      expect(others).toEqual([]);
      expect(held).toEqual({ attempt: 1, billable: billed, from: times[0], until: times[1] });
    });
    // Its owner can check it: these seconds, at this price.
    const [told] = (await cloud.api.call("getJobCosts", { params: { jobId: id } })).attempts;
    const seconds = Math.floor((times[1] ?? 0) / 1000) - Math.floor((times[0] ?? 0) / 1000);
    const cpu = told?.lines.find(({ sku }) => sku === "cpu.core");
    expect(cpu).toMatchObject({ seconds, billable: billed });
    const hours = multiply(parseRational(cpu?.units ?? ""), rational(BigInt(seconds), 3600n));
    const amount = multiply(hours, parseRational(cpu?.unitPrice ?? ""));
    expect(cpu?.amount).toBe(billed ? formatFen(roundToFen(amount)) : "0.00");
    expect(await noticesOf(notice, name)).toBe(1);
    const { items } = await cloud.api.call("listAudit", { query: {} });
    const action = billed ? "job.preempt" : "job.move";
    expect(items.filter((each) => each.action === action && each.target === id)).toHaveLength(1);

    await cloud.api.call("cancelJob", { params: { jobId: id } });
    const over = await jobThat(id, ({ endedAt }) => endedAt !== null);
    expect(over.attempts).toMatchObject([{ billable: billed }, { billable: true }]);
  },
);

test(
  "R-PAYG-7: a gang of which the cluster takes one member off goes back as a whole, and its owner is told once",
  { timeout },
  async () => {
    const name = `taken-${randomUUID()}`;
    const { id } = await cloud.submit({
      name,
      script: "train",
      environment: { SIMULATE_SECONDS: "100000" },
      platformRetriesMax: 0,
      members: 2,
    });
    const running = await jobThat(id, ({ state, gang }) =>
      gang?.members?.every(({ attempts }) => attempts[0]?.state === "running") === true
        ? state === "running"
        : false,
    );
    for (const { attempts } of running.gang?.members ?? []) {
      cloud.provider.platform.evict(attempts[0]?.instanceId ?? "", "reclaimed", "Why it was.");
    }
    const again = await jobThat(
      id,
      ({ gang }) => gang?.members?.every(({ attempts }) => attempts.length === 2) === true,
    );
    for (const member of again.gang?.members ?? []) {
      expect(member.attempts[0]).toMatchObject({ billable: true, end: { kind: "preempted" } });
    }
    expect(await noticesOf("job_evicted", name)).toBe(1);
    await cloud.api.call("cancelJob", { params: { jobId: id } });
    await jobThat(id, ({ endedAt }) => endedAt !== null);
  },
);

/**
 * The control plane dies at one of its writes while a job makes room for another, then at a later one,
 * and so on until it gets through. Whoever comes after it goes on: one preemption, one machine at the
 * end, every attempt metered once. One run takes every 31st write, the seed says which.
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { setJobPolicy } from "#flow/admit/job-policy.ts";
import { createObserver } from "#observe/observer.ts";

import { mortalProcess } from "./crash.ts";
import { jobCloud, type JobCloud } from "./job-cloud.ts";
import { seeds } from "./random.ts";

const stride = 31;
/** More would be a process that writes without end. */
const writesMax = 2_000;
const timeout = 900_000;
const observer = createObserver({ level: "silent" });
const gpuWork = { flavor: "t4.1", script: "train" };

async function fullCloud(): Promise<JobCloud> {
  const cloud = await jobCloud({ gpus: ["g0"] });
  await cloud.db.transaction((tx) =>
    setJobPolicy(tx, {
      policy: { noticeSeconds: 60, preemption: { ranSecondsMin: 0, waitedSecondsMin: 0 } },
      at: Date.now(),
    }),
  );
  return cloud;
}

function eventually(look: () => Promise<void>): Promise<void> {
  return vi.waitFor(look, { timeout: 120_000, interval: 50 });
}

const intervalRow = z.object({ attempt: z.int(), open: z.boolean(), count: z.int() });

function gpuIntervals(cloud: JobCloud, jobId: string): Promise<z.output<typeof intervalRow>[]> {
  return cloud.db.rows(
    sql`select i.turn as attempt, u.ended_at is null as open, count(*)::int as count
      from usage_interval u join instance i on i.id = u.instance_id
      where u.request_id = ${jobId} and u.sku like 'gpu.%'
      group by i.turn, u.ended_at is null order by i.turn`,
    intervalRow,
  );
}

test.each(seeds(1))(
  "S-05: killed at any write of a preemption, another goes on with it, seed %i",
  { timeout },
  async (seed) => {
    const cloud = await fullCloud();
    for (let deathAt = seed % stride; ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const before = await cloud.start();
      const victim = await cloud.submit({
        ...gpuWork,
        environment: { SIMULATE_SECONDS: "100000" },
        preemptible: true,
      });
      await eventually(async () => expect((await cloud.job(victim.id)).state).toBe("running"));
      await before.stop();

      const winner = await cloud.stranger.call("createJob", {
        body: { ...gpuWork, name: "urgent", environment: { SIMULATE_SECONDS: "0.1" } },
      });
      await cloud.db.execute(sql`update request set priority = 10 where id = ${winner.id}`);
      const params = { jobId: winner.id };
      const isOver = async (): Promise<boolean> => {
        const { state } = await cloud.stranger.call("getJob", { params });
        const { attempts } = await cloud.job(victim.id);
        return state === "succeeded" && attempts[1]?.state === "running";
      };
      const process = mortalProcess({ url: cloud.db.url, observer }, deathAt);
      const dying = await cloud.start({ db: process.db });
      while (!process.isDead() && !(await isOver())) await wait(20);
      await dying.stop();
      if (!process.isDead()) await process.db.close();

      const next = await cloud.start();
      const at = process.diedAt();
      await eventually(async () =>
        expect({ at, over: await isOver() }).toEqual({ at, over: true }),
      );
      const { attempts, preemptions } = await cloud.job(victim.id);
      expect({ at, attempts, preemptions }).toMatchObject({
        at,
        attempts: [{ end: { kind: "preempted" }, billable: true }, { state: "running" }],
        preemptions: [{ state: "done" }],
      });
      await eventually(async () =>
        expect({ at, held: await gpuIntervals(cloud, victim.id) }).toEqual({
          at,
          held: [
            { attempt: 1, open: false, count: 1 },
            { attempt: 2, open: true, count: 1 },
          ],
        }),
      );
      await cloud.api.call("cancelJob", { params: { jobId: victim.id } });
      await eventually(async () =>
        expect({ at, machines: await Promise.resolve(cloud.provider.platform.machines()) }).toEqual(
          { at, machines: [] },
        ),
      );
      await eventually(async () => expect((await cloud.job(victim.id)).endedAt).not.toBeNull());
      await next.stop();
      if (!process.isDead()) break;
    }
  },
);

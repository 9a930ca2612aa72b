/** A host that goes down for good, and comes back: what becomes of the job and the leases on it. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import type { Lease } from "#contract/schemas/compute.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import { sql } from "#db/sql.ts";
import { alerts } from "#notices/store.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 300_000;
const cloud = await jobCloud({ hosts: ["h1", "h2"] });
const { platform } = cloud.provider;

function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 120_000, interval: 50 });
}

async function leaseThat(id: string, isThere: (lease: Lease) => boolean): Promise<Lease> {
  return eventually(async () => {
    const lease = await cloud.api.call("getLease", { params: { leaseId: id } });
    if (!isThere(lease)) throw new Error(`the lease is still ${JSON.stringify(lease)}`);
    return lease;
  });
}

async function jobThat(id: string, isThere: (job: Job) => boolean): Promise<Job> {
  return eventually(async () => {
    const job = await cloud.job(id);
    if (!isThere(job)) throw new Error(`the job is still ${JSON.stringify(job)}`);
    return job;
  });
}

async function rent(name: string): Promise<Lease> {
  const { lease } = await cloud.api.call("createLease", {
    body: { name, flavor: "nano", image: "tiny", restart: "on-failure" },
  });
  return leaseThat(lease.id, ({ state }) => state === "running");
}

/** Native id of the host of an attempt. */
async function hostOf(instanceId: string): Promise<string> {
  const { host } = await cloud.db.one(
    sql`select h.native_id as host from instance i join host h on h.id = i.host_id
      where i.id = ${instanceId}`,
    z.object({ host: z.string() }),
  );
  return host;
}

async function isDown(host: string): Promise<boolean> {
  const { state } = await cloud.db.one(
    sql`select state from host where native_id = ${host}`,
    z.object({ state: z.string() }),
  );
  return state === "down";
}

async function openAlerts(): Promise<string[]> {
  const found = await alerts(cloud.db, { open: true, limit: 100, after: undefined });
  return found.map(({ kind }) => kind);
}

async function why(requestId: string): Promise<string> {
  return (await cloud.api.call("explainRequest", { params: { requestId } })).text;
}

test(
  "S-09, S-10: off a host that is down jobs go on elsewhere; leases wait for their disks, and that is said",
  { timeout },
  async () => {
    await cloud.start();
    const job = await cloud.submit({
      script: "train",
      environment: { SIMULATE_SECONDS: "100000" },
      platformRetriesMax: 0,
    });
    const first = await jobThat(job.id, ({ state }) => state === "running");
    const attempt = first.attempts[0]?.instanceId ?? "";
    const host = await hostOf(attempt);
    const lease = await rent("runs");
    const stopped = await rent("stopped");
    // Where room is left over goes what is small: all three are together.
    expect([lease.host, stopped.host]).toEqual([host, host]);
    await cloud.api.call("stopLease", { params: { leaseId: stopped.id }, body: {} });
    await leaseThat(stopped.id, ({ state }) => state === "stopped");

    platform.hostDown(host);
    await eventually(async () => expect(await isDown(host)).toBe(true));
    expect((await cloud.job(job.id)).attempts).toHaveLength(1);
    await cloud.api.call("startLease", { params: { leaseId: stopped.id } });
    cloud.forward(301_000);

    const moved = await jobThat(job.id, ({ attempts }) => attempts[1]?.state === "running");
    expect(moved.attempts[0]).toMatchObject({
      billable: false,
      end: { kind: "platform_fault", moved: true },
    });
    expect(moved.reason).toMatchObject({ code: "moved" });
    expect(await hostOf(moved.attempts[1]?.instanceId ?? "")).not.toBe(host);

    const waits = await leaseThat(lease.id, ({ reason }) => reason?.code === "host_down");
    expect(waits.reason?.message).toMatch(/cannot go elsewhere/);
    expect(await why(lease.id)).toMatch(/has been down since .* cannot go elsewhere/);
    await leaseThat(stopped.id, ({ reason }) => reason?.code === "host_down");
    await eventually(async () => expect(await why(stopped.id)).toMatch(/Its disk is on /));
    await eventually(async () => {
      const { items } = await cloud.api.call("listNotices", { query: {} });
      expect(items.filter(({ kind }) => kind === "lease_host_down")).toHaveLength(2);
      expect(await openAlerts()).toContain("host_down");
    });

    platform.hostUp(host);
    cloud.forward(61_000);
    for (const { id } of [lease, stopped]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await leaseThat(id, ({ state, reason }) => state === "running" && reason === null);
    }
    // What was given up there is not wanted any more, and is not there.
    await eventually(async () =>
      expect(await Promise.resolve(platform.machine(attempt))).toBeUndefined(),
    );
    await eventually(async () => expect(await openAlerts()).not.toContain("host_down"));
    expect((await cloud.job(job.id)).attempts).toHaveLength(2);
  },
);

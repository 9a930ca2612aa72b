/** Hardware that is out of order or disturbed, as the running stages take it, on simulated hosts. */
import { beforeAll, expect, test, vi } from "vitest";

import type { Job } from "#contract/schemas/jobs.ts";
import { findHost, listHosts, setMaintenance, setSchedulable } from "#flow/place/hosts.ts";
import { present } from "#kernel/assert.ts";
import { alerts } from "#notices/store.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({ gpus: ["g0", "g1"] });

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

/** Kinds of alerts that are open now. */
async function open(): Promise<string[]> {
  const found = await alerts(cloud.db, { open: true, limit: 100, after: undefined });
  return found.map(({ kind }) => kind);
}

function deviceOf(job: Job): string | undefined {
  const id = job.attempts.at(-1)?.instanceId ?? "";
  return cloud.provider.platform.machine(id)?.spec.gpus[0]?.deviceId;
}

const { conditions } = cloud.provider.platform;
const work = { flavor: "t4.1", script: "train", environment: { SIMULATE_SECONDS: "100000" } };

beforeAll(async () => {
  await cloud.start();
}, timeout);

test(
  "S-10: a job is moved off a sick device, with what it saved, at our cost and without a retry",
  { timeout },
  async () => {
    const job = await cloud.submit({ ...work, platformRetriesMax: 0 });
    const running = await jobThat(job.id, ({ state }) => state === "running");
    const device = deviceOf(running) ?? "";
    conditions.set("h1", { sickGpus: [device] });
    const moved = await jobThat(job.id, ({ attempts }) => attempts[1]?.state === "running");
    expect(moved.attempts[0]).toMatchObject({
      billable: false,
      end: { kind: "platform_fault", moved: true },
    });
    expect(moved.preemptions).toMatchObject([{ cause: "migration", state: "done" }]);
    expect(moved.reason).toMatchObject({ code: "moved" });
    expect(deviceOf(moved)).not.toBe(device);
    conditions.set("h1", { sickGpus: [] });
    await cloud.api.call("cancelJob", { params: { jobId: job.id } });
    await jobThat(job.id, ({ endedAt }) => endedAt !== null);
  },
);

test(
  "a host in maintenance: its job leaves with what it saved and goes on when there is room, a lease stays and its owner is told",
  { timeout },
  async () => {
    const { lease } = await cloud.api.call("createLease", {
      body: { name: "stays", flavor: "t4.1", image: "tiny" },
    });
    const params = { leaseId: lease.id };
    const job = await cloud.submit({ ...work, platformRetriesMax: 0 });
    await jobThat(job.id, ({ state }) => state === "running");
    await eventually(async () => {
      expect((await cloud.api.call("getLease", { params })).state).toBe("running");
    });
    const [host] = await listHosts(cloud.db, { limit: 1, after: undefined }, 0);
    const hostId = present(host, "the host").id;
    await setMaintenance(cloud.db, hostId, true);
    expect(await findHost(cloud.db, hostId, 0)).toMatchObject({
      maintenance: true,
      schedulable: false,
    });
    const left = await jobThat(job.id, ({ state }) => state === "queued");
    expect(left.attempts[0]).toMatchObject({
      billable: false,
      end: { kind: "platform_fault", moved: true },
    });
    expect(left.preemptions).toMatchObject([{ cause: "migration" }]);
    await eventually(async () => {
      const { items } = await cloud.api.call("listNotices", { query: {} });
      expect(items.map(({ kind }) => kind)).toContain("lease_host_maintenance");
    });
    expect((await cloud.api.call("getLease", { params })).state).toBe("running");
    expect(await open()).not.toContain("lease_on_sick");
    await setSchedulable(cloud.db, hostId, true);
    expect(await findHost(cloud.db, hostId, 0)).toMatchObject({
      maintenance: false,
      schedulable: true,
    });
    const again = await jobThat(job.id, ({ attempts }) => attempts[1]?.state === "running");
    expect(again.reason?.message).toContain("taken out of service");
    await cloud.api.call("cancelJob", { params: { jobId: job.id } });
    await cloud.api.call("releaseLease", { params });
    await jobThat(job.id, ({ endedAt }) => endedAt !== null);
    await eventually(async () => {
      expect((await cloud.api.call("getLease", { params })).state).toBe("released");
    });
  },
);

test(
  "S-10: a lease on a sick device stays, and its owner and the operator are told until it is well",
  { timeout },
  async () => {
    const { lease } = await cloud.api.call("createLease", {
      body: { name: "vm", flavor: "t4.1", image: "tiny" },
    });
    const params = { leaseId: lease.id };
    await eventually(async () => {
      expect((await cloud.api.call("getLease", { params })).state).toBe("running");
    });
    conditions.set("h1", { sickGpus: ["g0", "g1"] });
    await eventually(async () => expect(await open()).toContain("lease_on_sick"));
    const { items } = await cloud.api.call("listNotices", { query: {} });
    expect(items.some(({ kind }) => kind === "lease_on_sick")).toBe(true);
    conditions.set("h1", { sickGpus: [] });
    await eventually(async () => expect(await open()).not.toContain("lease_on_sick"));
    expect((await cloud.api.call("getLease", { params })).state).toBe("running");
  },
);

test(
  "S-14: what disturbs the work of others is an alert as long as it lasts",
  { timeout },
  async () => {
    expect(await open()).not.toContain("host_contended");
    conditions.set("h1", { cpuPressurePercent: 90, throttledGpus: ["g0"] });
    await eventually(async () =>
      expect(await open()).toEqual(expect.arrayContaining(["host_contended", "gpu_throttled"])),
    );
    // Near the bound it is not told again and again.
    conditions.set("h1", { cpuPressurePercent: 55, throttledGpus: [] });
    await eventually(async () => expect(await open()).not.toContain("gpu_throttled"));
    expect(await open()).toContain("host_contended");
    conditions.set("h1", { cpuPressurePercent: 5 });
    await eventually(async () => expect(await open()).not.toContain("host_contended"));
  },
);

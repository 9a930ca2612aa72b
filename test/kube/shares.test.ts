/**
 * Several customers on one cluster with jobs, in the program as it is: who owns a share takes it back from
 * who borrowed it, what a customer buys is worth a larger one, and nothing of a customer who left stays.
 */
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { present } from "#kernel/assert.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { attemptLabel, tenantQueue } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { at, listAt, textAt } from "./api/json.ts";
import { freePort, startClusterCloud } from "./cloud.ts";
import { prepareForJobs, settingsForJobs } from "./job-cloud.ts";

const waiting = { timeout: 120_000, interval: 100 };
const port = await freePort();
const own = (cpus: number) => ({ own: { cpu: { cpus, memoryGib: 8, diskGib: 64 } } });
const forJobs = settingsForJobs(port);
const cloud = await startClusterCloud({
  port,
  side: { programs: "real" },
  prepare: prepareForJobs,
  settings: {
    ...forJobs,
    jobs: {
      ...forJobs.jobs,
      shares: { tiers: { ordinary: own(3), gold: own(5), diamond: own(6) } },
    },
  },
});
const { store } = cloud.cluster.server.objects;
const operator = (): Client => cloud.client(cloud.operatorKey);
beforeAll(() =>
  vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    present(
      items.find(({ name }) => name === "cpu-1"),
      "the node",
    );
  }, waiting),
);

interface Customer {
  readonly tenantId: string;
  readonly api: Client;
  readonly forHim: Client;
}

let made = 0;
async function customer(amount: string): Promise<Customer> {
  made += 1;
  const body = { name: `lab-${made}` };
  const { tenant, administrator } = await operator().call("createTenant", { body });
  const forHim = cloud.client(cloud.operatorKey, tenant.id);
  await forHim.call("createTopUp", { body: { amount, reference: tenant.id } });
  return { tenantId: tenant.id, api: cloud.client(administrator.secret), forHim };
}

type Job = AnswerOf<"getJob">;

/** Two CPUs, until somebody ends it. */
async function submitted(of: Customer, more: Partial<{ preemptible: true; projectId: string }>) {
  const script = "#!/bin/sh\nsleep 600\n";
  const { id } = await of.api.call("createJob", {
    body: { name: "train", flavor: "medium", image: "tiny", script, ...more },
  });
  begun.push({ of, jobId: id });
  return id;
}

function reaches(of: Customer, jobId: string, what: object): Promise<Job> {
  return vi.waitFor(async () => {
    const job = await of.api.call("getJob", { params: { jobId } });
    expect(job).toMatchObject(what);
    return job;
  }, waiting);
}

/** A program that runs: it is from here on that its customer pays. */
const runs = { state: "running" };

/** Of a test that failed, so that the next one has its room. */
const begun: { readonly of: Customer; readonly jobId: string }[] = [];
afterEach(async () => {
  for (const { of, jobId } of begun.splice(0)) {
    await of.forHim.call("cancelJob", { params: { jobId } }).catch(() => undefined);
  }
});

async function ended(of: Customer, ...jobIds: readonly string[]): Promise<void> {
  for (const jobId of jobIds) await of.api.call("cancelJob", { params: { jobId } });
  for (const jobId of jobIds) await reaches(of, jobId, { state: "canceled" });
}

/** The share of a customer, as the cluster knows it: thousandths of CPU. */
function shareOf({ tenantId }: Customer): string {
  const queue = store.get(kinds.clusterQueue, { name: tenantQueue(tenantId, false) });
  const [group] = listAt(queue, "spec", "resourceGroups");
  const [flavor] = listAt(group, "flavors");
  const cpu = listAt(flavor, "resources").find((each) => textAt(each, "name") === "cpu");
  return textAt(cpu, "nominalQuota");
}

test("R-PAYG-7, M-JOB-02: what a customer borrows for a preemptible job is taken back by who owns it: the attempt ends as preempted and is billed for what it ran, the job waits with the reason and goes on when there is room", async () => {
  const guest = await customer("1000");
  const borrowed: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    borrowed.push(await submitted(guest, { preemptible: true }));
  }
  for (const jobId of borrowed) await reaches(guest, jobId, runs);
  await cloud.setForward(600_000);

  const owner = await customer("1000");
  const bought = await submitted(owner, {});
  const first = await reaches(owner, bought, runs);
  expect(first.attempts).toHaveLength(1);
  const { others, taken } = await vi.waitFor(async () => {
    const all = await Promise.all(
      borrowed.map((jobId) => guest.api.call("getJob", { params: { jobId } })),
    );
    const off = all.find(({ attempts }) => attempts[0]?.end !== null);
    return {
      others: all.filter((each) => each !== off),
      taken: present(off, "the one that was taken off"),
    };
  }, waiting);
  expect(others).toMatchObject(others.map(() => ({ ...runs, attempts: [{ end: null }] })));
  const waits = await reaches(guest, taken.id, {
    state: "queued",
    attempts: [{ end: { kind: "preempted" }, billable: true }, { end: null }],
  });
  const [attempt] = waits.attempts;
  expect(JSON.stringify(attempt?.end)).toContain("another customer");

  // Another try finds the cluster's queue full, and says so.
  await cloud.setForward(600_000);
  await reaches(guest, taken.id, {
    attempts: [{}, { end: null }],
    reason: { message: expect.stringMatching(/quota|queue/u) },
  });
  await ended(owner, bought);
  const again = await reaches(guest, taken.id, { ...runs, attempts: [{}, { end: null }] });
  expect(again.attempts).toHaveLength(2);
  await cloud.setForward(60_000);
  await ended(guest, ...borrowed);

  // To the second of when its program ran, by the cluster's clock, at its own price.
  const usage = await vi.waitFor(async () => {
    const { items } = await guest.api.call("listUsage", { query: { limit: 200 } });
    expect(items.filter(({ until }) => until === null)).toEqual([]);
    return items.filter(({ resourceId, sku }) => resourceId === taken.id && sku === "cpu.core");
  }, waiting);
  const { attempts } = await guest.api.call("getJob", { params: { jobId: taken.id } });
  const seconds = attempts.map(
    ({ startedAt, endedAt }) => (Date.parse(endedAt ?? "") - Date.parse(startedAt ?? "")) / 1000,
  );
  expect(new Set(usage.map((each) => each.seconds))).toEqual(new Set(seconds));
  expect(usage).toHaveLength(2);
  expect(usage.every(({ billable }) => billable)).toBe(true);
  expect(seconds[0]).toBeGreaterThanOrEqual(600);
}, 400_000);

test("R-PKG-8, R-CT-7: a package that is bought or given back, and a tier, are worth their share of the cluster within moments, without another job", async () => {
  const of = await customer("5000");
  const job = await submitted(of, {});
  await reaches(of, job, runs);
  const worth = (cpus: string): Promise<void> =>
    vi.waitFor(() => expect(shareOf(of)).toBe(cpus), waiting);
  await worth("3");
  const body = { code: "P1000", expectedAmount: "1000.00" };
  const bought = await of.api.call("buyPackage", { body });
  await worth("5");
  const until = new Date(cloud.now() + 86_400_000).toISOString();
  const byHand = { tier: "diamond", reason: "a pilot", approvedBy: "sales", until } as const;
  await of.forHim.call("overrideTier", { body: byHand });
  await worth("6");
  await of.forHim.call("endTierOverride");
  await worth("5");
  await of.api.call("refundPackage", { params: { packageId: bought.id } });
  await worth("3");
  // What runs went on all the while.
  expect(await reaches(of, job, runs)).toMatchObject({ attempts: [{ end: null }] });
  await ended(of, job);
}, 400_000);

test("I-TEN-02: a project with work in it is not removed, and says what it holds; when its jobs are ended it goes, and with a customer's last project his queues", async () => {
  const of = await customer("1000");
  const { tenantId } = of;
  const project = await of.api.call("createProject", { body: { name: "trial" } });
  const job = await submitted(of, { projectId: project.id });
  const other = await submitted(of, { preemptible: true });
  await reaches(of, job, runs);
  await reaches(of, other, runs);
  const here = { params: { projectId: project.id } };
  for (const who of [of.api, of.forHim]) {
    await expect(who.call("deleteProject", here)).rejects.toMatchObject({
      code: "wrong_state",
      message: "The project still holds 1 job; remove it first.",
    });
  }
  expect((await of.api.call("getJob", { params: { jobId: job } })).state).toBe("running");
  const left = (projectId?: string): readonly string[] =>
    store.kinds.flatMap((kind) =>
      store.all(kind).flatMap(({ metadata: { name, labels = {} } }) => {
        const isHis = labels[labelKeys.tenant] === tenantId;
        const isOf = projectId === undefined || labels[labelKeys.project] === projectId;
        return isHis && isOf ? `${kind.plural} ${name}` : [];
      }),
    );
  expect(left(project.id)).toContainEqual(expect.stringMatching(/^jobs /u));

  await of.api.call("cancelJob", { params: { jobId: job } });
  // As soon as nothing of it runs; the cluster takes its time over the rest.
  await vi.waitFor(() => of.api.call("deleteProject", here), waiting);
  await vi.waitFor(() => expect(left(project.id)).toEqual([]), waiting);
  expect(await reaches(of, job, { state: "canceled" })).toMatchObject({
    attempts: [{ billable: true }],
  });
  // The other project's go on, with his queues.
  expect(left()).toContain(`clusterqueues ${tenantQueue(tenantId, true)}`);
  expect((await of.api.call("getJob", { params: { jobId: other } })).state).toBe("running");

  // He leaves: what runs is ended by that alone.
  const account = { params: { tenantId } };
  const { items } = await of.api.call("listProjects");
  const last = present(items[0], "the default project");
  await operator().call("updateTenant", { ...account, body: { state: "suspended" } });
  await vi.waitFor(
    () => of.forHim.call("deleteProject", { params: { projectId: last.id } }),
    waiting,
  );
  await vi.waitFor(() => expect(left()).toEqual([]), waiting);
  const attempts = [...store.all(kinds.pod), ...store.all(kinds.job)].filter(
    ({ metadata }) => metadata.labels?.[attemptLabel] !== undefined,
  );
  expect(attempts.map((each) => at(each, "metadata", "name"))).toEqual([]);
}, 400_000);

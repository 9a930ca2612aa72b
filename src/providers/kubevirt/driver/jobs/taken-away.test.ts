/** What the cluster does to a job that is nobody's order: evictions, a Job deleted by hand, a driver away. */

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { jobName } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { remove as removeObject } from "#test/kube/api/removal.ts";
import { jobSpec, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver, patience, placeOf } from "#test/kube/job-driver.ts";

import { attemptIdOf } from "./record.ts";

let driver: JobDriver;

beforeAll(async () => {
  driver = await JobDriver.start();
});
afterAll(() => driver.close());

test("R-PAYG-7: taken off by Kueue it ends as that, its Job goes before it is let in again", async () => {
  const spec = jobSpec(newOwner(), { preemptible: true });
  await driver.create(spec);
  await driver.reaches("running", spec);
  // The cluster counts whole seconds, and tells a second run from the first by them.
  const { creationTimestamp } = driver.podOf(spec).metadata;
  await vi.waitFor(() => {
    expect(driver.cluster.server.objects.now()).not.toBe(creationTimestamp);
  }, patience);
  driver.cluster.nodes.kueue.evict(driver.workloadOf(spec), {
    reason: "Preempted",
    cause: "InCohortReclamation",
  });
  await driver.reaches("ended", spec);
  const { workload } = await driver.machine(spec);
  expect(workload?.end).toMatchObject({ kind: "evicted", by: "reclaimed" });
  await vi.waitFor(() => expect(driver.jobOf(spec)).toBeUndefined(), patience);
  await driver.remove(spec);
});

test("taken off before it began it stands in line again, and runs later", async () => {
  const owner = newOwner();
  const spec = jobSpec(owner, { preemptible: true }, { cpu: { sockets: 1, cores: 9, threads: 1 } });
  await driver.create(spec);
  // No node has nine CPUs: it was let in, and has no place.
  await vi.waitFor(async () => {
    expect((await driver.machine(spec)).waiting?.code).toMatch(/no_room|unschedulable|cpu/u);
  }, patience);
  driver.cluster.nodes.kueue.evict(driver.workloadOf(spec), { reason: "PodsReadyTimeout" });
  await vi.waitFor(() => expect(driver.podsOf(spec).length).toBeLessThanOrEqual(1), patience);
  driver.cluster.nodes.addNode({ name: "cpu-3", cpus: 16, labels: { "example.com/pool": "cpu" } });
  await driver.reaches("running", spec);
  await driver.remove(spec);
});

test("a Job that somebody deleted is a fault of the platform, once, and is not made again", async () => {
  const spec = jobSpec(newOwner());
  await driver.create(spec);
  await driver.reaches("running", spec);
  const { objects } = driver.cluster.server;
  const name = jobName(attemptIdOf(spec));
  removeObject(objects, kinds.job, { ...placeOf(spec), name }, { propagation: "Background" });
  await driver.reaches("ended", spec);
  expect((await driver.machine(spec)).workload?.end).toMatchObject({ kind: "platform_fault" });
  expect(driver.jobOf(spec)).toBeUndefined();
  await driver.remove(spec);
});

test("a driver that was away loses no second of a run and repeats none", async () => {
  const spec = jobSpec(newOwner());
  await driver.create(spec);
  await driver.reaches("running", spec);
  const { startedAt } = (await driver.machine(spec)).workload ?? {};
  const pod = driver.podOf(spec).metadata.name;
  let finished = "";
  await driver.restart(() => {
    // Its Job may be deleted meanwhile: the pod waits for whoever writes its times down.
    driver.cluster.nodes.programEnds(pod, { exitCode: 0, said: "exited" });
    finished = driver.cluster.server.objects.now();
  });
  await driver.reaches("ended", spec);
  const { workload } = await driver.machine(spec);
  expect(workload?.startedAt).toBe(startedAt);
  expect(Math.abs((workload?.endedAt ?? 0) - Date.parse(finished))).toBeLessThanOrEqual(1000);
  const reopened = driver.cluster.open();
  expect((await reopened.machine({ signal: driver.signal }, spec.id))?.workload).toEqual(workload);
  await reopened.close();
  await driver.remove(spec);
});

/** Jobs that Volcano runs: gangs, evictions by events, soft shares of a card. */

import { expect, test, vi } from "vitest";

import { jobName, meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { gangSpecs, jobSpec, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver, patience, placeOf } from "#test/kube/job-driver.ts";

import { attemptIdOf } from "./record.ts";

test("on Volcano: made, let in, taken away by an event, ended", async () => {
  const driver = await JobDriver.start({ jobs: { batch: "volcano" } });
  const { nodes, server } = driver.cluster;
  try {
    const specs = gangSpecs(newOwner(), 2);
    for (const spec of specs) await driver.create(spec);
    await driver.reaches("running", ...specs);
    const [first] = specs;
    if (first === undefined) throw new Error("two");
    await vi.waitFor(() => {
      for (const pod of driver.podsOf(first))
        expect(pod.metadata.finalizers).toContain(meteringFinalizer);
    }, patience);
    const [pod] = driver.podsOf(first);
    if (pod === undefined) throw new Error("it has pods");
    nodes.volcano.evict(pod, "preempted by another queue");
    await driver.reaches("ended", ...specs);
    expect((await driver.machine(first)).workload?.end?.kind).toBe("evicted");
    await driver.remove(...specs);
    const name = jobName(attemptIdOf(first));
    const job = server.objects.store.get(jobKinds.volcanoJob, { ...placeOf(first), name });
    expect(job).toBeUndefined();
  } finally {
    await driver.close();
  }
});

test("a job that comes before its queue is open is not refused for that", async () => {
  const driver = await JobDriver.start({ jobs: { batch: "volcano" } });
  try {
    const spec = jobSpec(newOwner());
    await driver.create(spec);
    await driver.reaches("running", spec);
    expect(driver.podsOf(spec)).toHaveLength(1);
    await driver.remove(spec);
  } finally {
    await driver.close();
  }
});

test("R-GPU-07: a soft share of a card (HAMi) is labeled, and stays on machines of its tenant", async () => {
  const resource = "nvidia.com/gpu";
  const memoryResource = "nvidia.com/gpumem";
  const coresResource = "nvidia.com/gpucores";
  const hami = { memoryResource, coresResource };
  const nodeLabels = { "example.com/pool": "t4" };
  const shared = { model: "T4", memoryGib: 16, resource, sharing: "hami", slice: 4, hami } as const;
  const jobs = { batch: "volcano", flavors: [{ name: "t4", nodeLabels, gpu: shared }] } as const;
  const driver = await JobDriver.start({ jobs: { ...jobs, flavors: [...jobs.flavors] } });
  const { nodes } = driver.cluster;
  try {
    const resources = { [resource]: 4, [memoryResource]: 16_384, [coresResource]: 100 };
    const owner = newOwner();
    const gpus = [{ deviceId: `${resource}/0`, model: "T4", slice: 4, resource }];
    const spec = jobSpec(owner, {}, { gpus, hostId: "t4-1" });
    nodes.addNode({ name: "t4-0", resources, labels: nodeLabels });
    await vi.waitFor(async () => {
      await expect(driver.create(spec)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("no wall to another tenant"),
      });
    }, patience);
    const own = { ...nodeLabels, "millrace.dev/tenant": owner.tenantId };
    nodes.addNode({ name: "t4-1", resources, labels: own });
    await vi.waitFor(async () => {
      const { items } = await driver.provider.hosts({ signal: driver.signal });
      expect(items.map(({ id }) => id)).toContain("t4-1");
    }, patience);
    await driver.create(spec);
    await driver.reaches("running", spec);
    expect((await driver.machine(spec)).hostId).toBe("t4-1");
    const [pod] = driver.podsOf(spec);
    expect(pod?.metadata.labels).toMatchObject({ "millrace.dev/soft-gpu-sharing": "true" });
    await driver.remove(spec);
  } finally {
    await driver.close();
  }
});

/** Jobs through the driver: what happens to them in a cluster, and what is told and written of it. */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { jobName, meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import type { Machine, MachineSpec, Owner } from "#providers/provider.ts";
import type { Document } from "#test/kube/api/document.ts";
import type { Admission } from "#test/kube/api/objects.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { remove as removeObject } from "#test/kube/api/removal.ts";
import {
  gangSpecs,
  jobSpec,
  type JobCluster,
  limitedOwner,
  newOwner,
  startJobCluster,
} from "#test/kube/job-cluster.ts";

import { attemptIdOf } from "./record.ts";

const signal = AbortSignal.timeout(600_000);
const until = { timeout: 60_000, interval: 20 };
let cluster: JobCluster;
let provider: KubevirtProvider;

beforeAll(async () => {
  cluster = await startJobCluster();
  provider = cluster.open();
});
afterAll(async () => {
  await provider.close();
  await cluster.close();
});

const call = (owner: Owner, operationId: string = randomUUID()) => ({ signal, owner, operationId });
const create = (spec: MachineSpec) => provider.create(call(spec.owner), spec);
const remove = async (...specs: readonly MachineSpec[]) => {
  for (const { owner, id } of specs) await provider.delete(call(owner), id);
  await vi.waitFor(async () => {
    for (const { id } of specs) expect(await provider.machine({ signal }, id)).toBeUndefined();
  }, until);
};

async function machine(id: string): Promise<Machine> {
  const found = await provider.machine({ signal }, id);
  if (found === undefined) throw new Error(`there is no machine ${id}`);
  return found;
}

const stateOf = async (spec: MachineSpec) => (await machine(spec.id)).workload?.state;
const reaches = (spec: MachineSpec, state: "pending" | "running" | "ended") =>
  vi.waitFor(async () => expect(await stateOf(spec)).toBe(state), until);

function podsOf(spec: MachineSpec): readonly Document[] {
  return cluster.server.objects.store
    .all(kinds.pod)
    .filter(({ metadata }) => metadata.labels?.["millrace.dev/attempt"] === attemptIdOf(spec))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

const podOf = (spec: MachineSpec, rank = 0): Document => {
  const found = podsOf(spec).find(({ metadata }) => metadata.name.includes(`-${rank}-`));
  if (found === undefined) throw new Error("it has no pod");
  return found;
};

const jobOf = (spec: MachineSpec) => {
  const name = jobName(attemptIdOf(spec));
  return cluster.server.objects.store.get(kinds.job, { ...placeOf(spec), name });
};
const placeOf = ({ owner }: MachineSpec) => ({ namespace: namespaceName(owner.projectId) });
const workloadOf = (spec: MachineSpec) => {
  const name = `job-${jobName(attemptIdOf(spec))}`;
  const found = cluster.server.objects.store.get(kinds.workload, { ...placeOf(spec), name });
  if (found === undefined) throw new Error("Kueue has no workload of it");
  return found;
};

const denyJobs: Admission = (kind) => {
  if (kind === kinds.job) throw forbidden(kinds.job, "j", "no jobs today");
};

describe("a single job", () => {
  test("made twice it is one; its end, its pod's times and who they were told by are kept", async () => {
    const spec = jobSpec(newOwner());
    const again = call(spec.owner);
    const first = await provider.create(again, spec);
    expect(await provider.create(again, spec)).toEqual(first);
    await provider.create(call(spec.owner), spec);
    await reaches(spec, "running");
    expect(podsOf(spec)).toHaveLength(1);
    const runs = await machine(spec.id);
    expect(runs).toMatchObject({ power: { value: "running" }, guest: { ready: true } });
    expect(runs.hostId).toMatch(/^cpu-/u);
    expect((await provider.machines({ signal })).items.map(({ id }) => id)).toContain(spec.id);
    const started = runs.workload?.startedAt;
    cluster.nodes.programEnds(podOf(spec).metadata.name, { exitCode: 3, said: "exited" });
    await reaches(spec, "ended");
    const ended = await machine(spec.id);
    expect(ended.workload).toMatchObject({
      startedAt: started,
      end: { kind: "exited", exitCode: 3 },
    });
    expect(ended).toMatchObject({
      power: { value: "stopped" },
      stop: { reason: "guest", at: ended.workload?.endedAt },
    });
    await vi.waitFor(
      () => expect(podOf(spec).metadata.finalizers ?? []).not.toContain(meteringFinalizer),
      until,
    );
    await remove(spec);
    expect(jobOf(spec)).toBeUndefined();
    // What keeps a project's furniture leaves the furniture of its jobs alone.
    const way = { ...placeOf(spec), name: "job-agents" };
    expect(cluster.server.objects.store.get(kinds.networkPolicy, way)).toBeDefined();
    await expect(create(spec)).rejects.toMatchObject({ code: "refused" });
  });

  test("another owner does not get at it", async () => {
    const spec = jobSpec(newOwner());
    await create(spec);
    const other = { ...spec.owner, resourceId: randomUUID() };
    await expect(provider.delete(call(other), spec.id)).rejects.toMatchObject({ code: "refused" });
    await expect(provider.create(call(other), { ...spec, owner: other })).rejects.toMatchObject({
      code: "refused",
    });
    await expect(provider.power(call(spec.owner), spec.id, { to: "stop" })).rejects.toMatchObject({
      code: "refused",
    });
    await remove(spec);
  });

  test("what it asks for and is not there is refused before anything is made", async () => {
    const owner = newOwner();
    const refusals: readonly [MachineSpec, RegExp][] = [
      [jobSpec(owner, {}, { image: "unknown" }), /No container image stands for unknown/u],
      [jobSpec(owner, {}, { cpu: { sockets: 1, cores: 64, threads: 1 } }), /never has more/u],
      [
        jobSpec(
          owner,
          {},
          {
            gpus: [{ deviceId: "example.com/other/0", model: "A100", slice: 1 }],
          },
        ),
        /No queue here is for/u,
      ],
    ];
    for (const [spec, message] of refusals) {
      await expect(create(spec)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(message),
      });
      expect(await provider.machine({ signal }, spec.id)).toBeUndefined();
    }
  });

  test("a Job that the cluster refuses leaves nothing behind", async () => {
    const spec = jobSpec(newOwner());
    const { admissions } = cluster.server.objects;
    admissions.add(denyJobs);
    try {
      await expect(create(spec)).rejects.toMatchObject({ code: "refused", effect: "none" });
    } finally {
      admissions.delete(denyJobs);
    }
    await vi.waitFor(async () => {
      expect(await provider.machine({ signal }, spec.id)).toBeUndefined();
    }, until);
  });

  test("while it waits for quota it says which, and starts when there is room", async () => {
    const cpu = { sockets: 1, cores: 4, threads: 1 };
    const owner = limitedOwner();
    const first = jobSpec(owner, {}, { cpu });
    const rest = jobSpec(owner, {}, { cpu });
    const waits = jobSpec(owner);
    await create(first);
    await create(rest);
    await reaches(first, "running");
    await create(waits);
    await vi.waitFor(async () => {
      expect((await machine(waits.id)).waiting).toMatchObject({ code: "quota", who: "nobody" });
    }, until);
    expect(await machine(waits.id)).toMatchObject({ power: { value: "stopped" } });
    expect(await machine(waits.id)).not.toHaveProperty("stop");
    await remove(first);
    await reaches(waits, "running");
    await remove(rest, waits);
  });

  test("deleted while it runs it is gone at once, and tells of its end before that", async () => {
    const spec = jobSpec(newOwner());
    await create(spec);
    await reaches(spec, "running");
    const ref = await provider.delete(call(spec.owner), spec.id);
    expect(jobOf(spec)).toBeUndefined();
    await vi.waitFor(async () => {
      expect(await provider.operation({ signal }, ref)).toEqual({ state: "done" });
    }, until);
    expect(podsOf(spec)).toEqual([]);
  });

  test("R-GPU-06: a part of a card that the hardware keeps apart (MIG) is one of that resource", async () => {
    const resource = "nvidia.com/mig-1g.10gb";
    const gpus = [{ deviceId: `${resource}/0`, model: "A100", slice: 7, resource }];
    const spec = jobSpec(newOwner(), {}, { gpus, hostId: "mig-1" });
    await create(spec);
    await reaches(spec, "running");
    expect((await machine(spec.id)).hostId).toBe("mig-1");
    expect(JSON.stringify(podOf(spec))).toContain(`"${resource}":"1"`);
    await remove(spec);
  });
});

describe("what the cluster does to it", () => {
  test("R-PAYG-7: taken off by Kueue it ends as that, its Job goes before it is let in again", async () => {
    const spec = jobSpec(newOwner(), { preemptible: true });
    await create(spec);
    await reaches(spec, "running");
    // The cluster counts whole seconds, and tells a second run from the first by them.
    const { creationTimestamp } = podOf(spec).metadata;
    await vi.waitFor(() => {
      expect(cluster.server.objects.now()).not.toBe(creationTimestamp);
    }, until);
    cluster.nodes.kueue.evict(workloadOf(spec), {
      reason: "Preempted",
      cause: "InCohortReclamation",
    });
    await reaches(spec, "ended");
    const { workload } = await machine(spec.id);
    expect(workload?.end).toMatchObject({ kind: "evicted", by: "reclaimed" });
    await vi.waitFor(() => expect(jobOf(spec)).toBeUndefined(), until);
    await remove(spec);
  });

  test("taken off before it began it stands in line again, and runs later", async () => {
    const owner = newOwner();
    const spec = jobSpec(
      owner,
      { preemptible: true },
      { cpu: { sockets: 1, cores: 9, threads: 1 } },
    );
    await create(spec);
    // No node has nine CPUs: it was let in, and has no place.
    await vi.waitFor(async () => {
      expect((await machine(spec.id)).waiting?.code).toMatch(/no_room|unschedulable|cpu/u);
    }, until);
    cluster.nodes.kueue.evict(workloadOf(spec), { reason: "PodsReadyTimeout" });
    await vi.waitFor(() => expect(podsOf(spec).length).toBeLessThanOrEqual(1), until);
    cluster.nodes.addNode({ name: "cpu-3", cpus: 16, labels: { "example.com/pool": "cpu" } });
    await reaches(spec, "running");
    await remove(spec);
  });

  test("a Job that somebody deleted is a fault of the platform, once, and is not made again", async () => {
    const spec = jobSpec(newOwner());
    await create(spec);
    await reaches(spec, "running");
    const { objects } = cluster.server;
    const name = jobName(attemptIdOf(spec));
    removeObject(objects, kinds.job, { ...placeOf(spec), name }, { propagation: "Background" });
    await reaches(spec, "ended");
    expect((await machine(spec.id)).workload?.end).toMatchObject({ kind: "platform_fault" });
    expect(jobOf(spec)).toBeUndefined();
    await remove(spec);
  });

  test("a driver that was away loses no second of a run and repeats none", async () => {
    const spec = jobSpec(newOwner());
    await create(spec);
    await reaches(spec, "running");
    const { startedAt } = (await machine(spec.id)).workload ?? {};
    await provider.close();
    const pod = podOf(spec).metadata.name;
    cluster.nodes.programEnds(pod, { exitCode: 0, said: "exited" });
    const finished = cluster.server.objects.now();
    // Its Job may be deleted meanwhile: the pod waits for whoever writes its times down.
    provider = cluster.open();
    await reaches(spec, "ended");
    const { workload } = await machine(spec.id);
    expect(workload?.startedAt).toBe(startedAt);
    expect(Math.abs((workload?.endedAt ?? 0) - Date.parse(finished))).toBeLessThanOrEqual(1000);
    const reopened = cluster.open();
    expect((await reopened.machine({ signal }, spec.id))?.workload).toEqual(workload);
    await reopened.close();
    await remove(spec);
  });
});

describe("a gang", () => {
  test("is made when all are there: the first is told where it will be, nothing runs before", async () => {
    const specs = gangSpecs(newOwner(), 3);
    const [first, second, third] = specs;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error("three");
    await create(first);
    const { address, waiting } = await machine(first.id);
    expect(address).toBe(`${jobName(attemptIdOf(first))}-0.${jobName(attemptIdOf(first))}`);
    expect(waiting).toMatchObject({ code: "members_missing", details: { here: 1, size: 3 } });
    await create(third);
    expect(jobOf(first)).toBeUndefined();
    await create(second);
    for (const spec of specs) await reaches(spec, "running");
    expect(podsOf(first)).toHaveLength(3);
    const names = await Promise.all(
      specs.map(async ({ id }) => (await machine(id)).locator["pod"]),
    );
    expect(new Set(names).size).toBe(3);
    await remove(...specs);
  });

  test("needs quota for all of them, or none begins", async () => {
    const owner = limitedOwner();
    const cpu = { sockets: 1, cores: 3, threads: 1 };
    const other = jobSpec(owner, {}, { cpu });
    await create(other);
    await reaches(other, "running");
    const specs = gangSpecs(owner, 2).map((spec) => ({ ...spec, cpu }));
    const [first, second] = specs;
    if (first === undefined || second === undefined) throw new Error("two");
    await create(first);
    await create(second);
    await vi.waitFor(async () => {
      for (const { id } of specs) expect((await machine(id)).waiting?.code).toBe("quota");
    }, until);
    expect(podsOf(first)).toEqual([]);
    await remove(other);
    for (const spec of specs) await reaches(spec, "running");
    await remove(first, second);
  });

  test("one member that fails ends all; whose doing it was is told of each", async () => {
    const specs = gangSpecs(newOwner(), 2);
    for (const spec of specs) await create(spec);
    for (const spec of specs) await reaches(spec, "running");
    const [first, second] = specs;
    if (first === undefined || second === undefined) throw new Error("two");
    cluster.nodes.programEnds(podOf(first, 1).metadata.name, { exitCode: 9, said: "exited" });
    await reaches(first, "ended");
    await reaches(second, "ended");
    expect((await machine(second.id)).workload?.end).toEqual({ kind: "exited", exitCode: 9 });
    expect((await machine(first.id)).workload?.end).toEqual({
      kind: "signaled",
      signal: "SIGTERM",
    });
    await remove(first, second);
  });

  test("one member whose node is lost is the platform's fault, for all", async () => {
    const specs = gangSpecs(newOwner(), 2);
    for (const spec of specs) await create(spec);
    for (const spec of specs) await reaches(spec, "running");
    const [first, second] = specs;
    if (first === undefined || second === undefined) throw new Error("two");
    cluster.nodes.nodeIsLost(podOf(first, 0));
    for (const spec of specs) await reaches(spec, "ended");
    for (const { id } of specs) {
      expect((await machine(id)).workload?.end?.kind).toBe("platform_fault");
    }
    await remove(first, second);
  });
});

test("without Kueue machines work, and jobs are refused with the reason", async () => {
  const bare = await startJobCluster({ without: [kinds.workload, kinds.clusterQueue] });
  const driver = bare.open();
  const { capabilities } = await driver.info({ signal });
  expect(capabilities.workloads).toMatchObject({
    can: false,
    because: expect.stringContaining("Kueue is not installed"),
  });
  expect(await driver.machines({ signal })).toMatchObject({ complete: true });
  const spec = jobSpec(newOwner());
  await expect(driver.create(call(spec.owner), spec)).rejects.toMatchObject({ code: "refused" });
  await driver.close();
  await bare.close();
});

test("on Volcano: made, let in, taken away by an event, ended", async () => {
  const other = await startJobCluster({ jobs: { batch: "volcano" } });
  const before = [cluster, provider] as const;
  cluster = other;
  provider = other.open();
  try {
    const specs = gangSpecs(newOwner(), 2);
    for (const spec of specs) await create(spec);
    for (const spec of specs) await reaches(spec, "running");
    const [first] = specs;
    if (first === undefined) throw new Error("two");
    await vi.waitFor(() => {
      for (const pod of podsOf(first)) expect(pod.metadata.finalizers).toContain(meteringFinalizer);
    }, until);
    const [pod] = podsOf(first);
    if (pod === undefined) throw new Error("it has pods");
    other.nodes.volcano.evict(pod, "preempted by another queue");
    for (const spec of specs) await reaches(spec, "ended");
    expect((await machine(first.id)).workload?.end?.kind).toBe("evicted");
    await remove(...specs);
    const name = jobName(attemptIdOf(first));
    const job = other.server.objects.store.get(jobKinds.volcanoJob, { ...placeOf(first), name });
    expect(job).toBeUndefined();
  } finally {
    await provider.close();
    [cluster, provider] = before;
    await other.close();
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
  const soft = await startJobCluster({ jobs: { ...jobs, flavors: [...jobs.flavors] } });
  const before = [cluster, provider] as const;
  cluster = soft;
  provider = soft.open();
  try {
    const resources = { [resource]: 4, [memoryResource]: 16_384, [coresResource]: 100 };
    const owner = newOwner();
    const gpus = [{ deviceId: `${resource}/0`, model: "T4", slice: 4, resource }];
    const spec = jobSpec(owner, {}, { gpus, hostId: "t4-1" });
    soft.nodes.addNode({ name: "t4-0", resources, labels: nodeLabels });
    await vi.waitFor(async () => {
      await expect(create(spec)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("no wall to another tenant"),
      });
    }, until);
    const own = { ...nodeLabels, "millrace.dev/tenant": owner.tenantId };
    soft.nodes.addNode({ name: "t4-1", resources, labels: own });
    await vi.waitFor(async () => {
      const { items } = await provider.hosts({ signal });
      expect(items.map(({ id }) => id)).toContain("t4-1");
    }, until);
    await create(spec);
    await reaches(spec, "running");
    expect((await machine(spec.id)).hostId).toBe("t4-1");
    const [pod] = podsOf(spec);
    expect(pod?.metadata.labels).toMatchObject({ "millrace.dev/soft-gpu-sharing": "true" });
    await remove(spec);
  } finally {
    await provider.close();
    [cluster, provider] = before;
    await soft.close();
  }
});

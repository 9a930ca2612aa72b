/** The queues of tenants: kept, following what a tenant is, lent out and taken back, and gone with him. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { localQueueName, tenantQueue, tierClass } from "#providers/kubevirt/jobs/names.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import type { Document } from "#test/kube/api/document.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";
import { jobSpec, limitedOwner, limitedTenant, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver, patience, placeOf } from "#test/kube/job-driver.ts";
import { inUseFinalizer } from "#test/kube/node-side/kueue-in-use.ts";

const share = (cpus: number) => ({ own: { cpu: { cpus, memoryGib: 16, diskGib: 20 } } });
const byHand = { manager: "kubectl", validation: "Ignore" } as const;
const fourCpus = { cpu: { sockets: 1, cores: 4, threads: 1 } };
let driver: JobDriver;
/** How far the clock of all is ahead. */
let aheadMs = 0;

beforeAll(async () => {
  driver = await JobDriver.start({
    now: () => Date.now() + aheadMs,
    jobs: {
      shares: {
        tenants: { [limitedTenant]: share(8) },
        tiers: { gold: share(4) },
        others: { own: {} },
      },
    },
  });
});
afterAll(() => driver.close());

function found(kind: Kind, name: string, namespace?: string): Document | undefined {
  const at = namespace === undefined ? { name } : { namespace, name };
  return driver.cluster.server.objects.store.get(kind, at);
}

/** Of CPUs, as the object says it. */
function nominal(queue: Document | undefined): string {
  const [group] = listAt(queue, "spec", "resourceGroups");
  const flavor = listAt(group, "flavors").find((each) => textAt(each, "name") === "cpu");
  return textAt(
    listAt(flavor, "resources").find((each) => textAt(each, "name") === "cpu"),
    "nominalQuota",
  );
}

const queueOf = ({ owner }: MachineSpec, preemptible = false): Document | undefined =>
  found(kinds.clusterQueue, tenantQueue(owner.tenantId, preemptible));

async function started(spec: MachineSpec): Promise<MachineSpec> {
  await driver.create(spec);
  await driver.reaches("running", spec);
  return spec;
}

test("what somebody deletes or edits by hand is put right without another job, also after a restart", async () => {
  const spec = await started(jobSpec(newOwner(), { preemptible: true }));
  const { objects } = driver.cluster.server;
  const plane = { controlPlaneId: driver.cluster.settings.controlPlane };
  const { namespace } = placeOf(spec);
  const door = localQueueName(true);
  const kept: readonly (() => Document | undefined)[] = [
    () => queueOf(spec),
    () => found(kinds.cohort, "millrace"),
    () => found(kinds.localQueue, door, namespace),
    () => found(kinds.networkPolicy, "job-agents", namespace),
    () => found(kinds.workloadPriorityClass, tierClass(plane, "gold")),
  ];
  const takeAll = (): void => {
    for (const [index, kind] of [
      kinds.clusterQueue,
      kinds.cohort,
      kinds.localQueue,
      kinds.networkPolicy,
      kinds.workloadPriorityClass,
    ].entries()) {
      objects.store.remove(kind, present(kept[index]?.(), kind.kind));
    }
  };
  const isBack = () =>
    vi.waitFor(() => {
      for (const one of kept) expect(one()).toBeDefined();
    }, patience);
  takeAll();
  await isBack();
  const stopped = { spec: { stopPolicy: "HoldAndDrain" } };
  objects.patch(
    kinds.clusterQueue,
    { name: tenantQueue(spec.owner.tenantId, true) },
    stopped,
    byHand,
  );
  await vi.waitFor(() => {
    expect(textAt(queueOf(spec, true), "spec", "stopPolicy")).toBe("None");
  }, patience);
  // While nobody looks, and with the job over: its project still has its doors.
  await driver.remove(spec);
  await driver.restart(takeAll);
  await isBack();
});

test("what Kueue holds while it is in use goes when that ends, and is put back; who comes meanwhile waits", async () => {
  const spec = await started(jobSpec(newOwner(), { preemptible: true }));
  const { objects } = driver.cluster.server;
  const used = await vi.waitFor(() => {
    const queue = present(queueOf(spec, true), "the queue that is in use");
    expect(queue.metadata.finalizers).toEqual([inUseFinalizer]);
    return queue;
  }, patience);
  const flavor = present(found(kinds.resourceFlavor, "cpu"), "its flavor");
  remove(objects, kinds.clusterQueue, used.metadata, { propagation: "Background" });
  remove(objects, kinds.resourceFlavor, flavor.metadata, { propagation: "Background" });
  const next = jobSpec(spec.owner, { preemptible: true });
  await driver.create(next);
  await vi.waitFor(async () => {
    expect((await driver.machine(next)).waiting?.code).toBe("queue_closed");
  }, patience);
  expect(queueOf(spec, true)?.metadata.uid).toBe(used.metadata.uid);
  driver.cluster.nodes.programEnds(driver.podOf(spec).metadata.name, {
    exitCode: 0,
    said: "exited",
  });
  await driver.reaches("running", next);
  expect(queueOf(spec, true)?.metadata.uid).not.toBe(used.metadata.uid);
  // Queues name it all the time.
  expect(found(kinds.resourceFlavor, "cpu")?.metadata.uid).toBe(flavor.metadata.uid);
  await driver.remove(spec, next);
});

test("of one customer's preemptible jobs one of a higher tier comes first; others' are left alone", async () => {
  const owner = newOwner();
  const ordinary = { preemptible: true, tier: "ordinary" } as const;
  const own = Array.from({ length: 3 }, () => jobSpec(owner, ordinary, fourCpus));
  const other = jobSpec(newOwner(), ordinary, fourCpus);
  for (const spec of [...own, other]) await started(spec);
  const diamond = { preemptible: true, tier: "diamond" } as const;
  const higher = Array.from({ length: 4 }, () => jobSpec(owner, diamond, fourCpus));
  for (const spec of higher) await driver.create(spec);
  await driver.reaches("ended", ...own);
  for (const spec of own) {
    expect((await driver.machine(spec)).workload?.end).toEqual({
      kind: "evicted",
      by: "preempted",
      detail: expect.stringContaining("work of a higher class of the same customer"),
    });
  }
  await driver.reaches("running", other);
  await vi.waitFor(async () => {
    const machines = await Promise.all(higher.map((spec) => driver.machine(spec)));
    const running = machines.filter(({ workload }) => workload?.state === "running");
    expect(running).toHaveLength(3);
  }, patience);
  await driver.remove(other, ...own, ...higher);
});

test("a tenant's quota follows his tier, without another job; a restart forgets nothing", async () => {
  const spec = await started(jobSpec(newOwner(), { preemptible: true, tier: "ordinary" }));
  const { tenantId } = spec.owner;
  const { provider, signal } = driver;
  expect(nominal(queueOf(spec))).toBe("0");
  const before = nominal(found(kinds.cohort, "millrace"));
  await provider.tellTiers({ signal }, new Map([[tenantId, "gold"]]));
  await vi.waitFor(() => {
    expect(nominal(queueOf(spec))).toBe("4");
    // What he owns now is not for everybody to borrow any more.
    expect(Number(nominal(found(kinds.cohort, "millrace")))).toBe(Number(before) - 4);
  }, patience);
  // Nobody has told the next process yet: what stands is believed.
  await driver.restart(() => {
    driver.cluster.server.objects.store.remove(
      kinds.clusterQueue,
      present(queueOf(spec, true), "his other queue"),
    );
  });
  await vi.waitFor(() => expect(queueOf(spec, true)).toBeDefined(), patience);
  expect(nominal(queueOf(spec))).toBe("4");
  await driver.provider.tellTiers({ signal }, new Map([[tenantId, "ordinary"]]));
  await vi.waitFor(() => expect(nominal(queueOf(spec))).toBe("0"), patience);
  expect((await driver.machine(spec)).workload?.state).toBe("running");
  await driver.remove(spec);
});

test("that somebody changes a queue again and again is said, and no more once he has left it alone for an hour", async () => {
  const spec = await started(jobSpec(newOwner(), { preemptible: true }));
  await driver.remove(spec);
  const said = async (): Promise<string> => {
    const { findings = [] } = await driver.provider.info({ signal: driver.signal });
    return findings
      .map(({ message }) => message)
      .filter((message) => message.includes("again and again"))
      .join();
  };
  const { store } = driver.cluster.server.objects;
  const isTakenAndPutBack = async (name: string): Promise<void> => {
    store.remove(kinds.clusterQueue, present(found(kinds.clusterQueue, name), name));
    await vi.waitFor(() => expect(found(kinds.clusterQueue, name)).toBeDefined(), patience);
  };
  const contested = tenantQueue(spec.owner.tenantId, true);
  for (let times = 1; times <= 4; times += 1) {
    // Longer than it is left alone for by then.
    aheadMs += 60_000;
    await isTakenAndPutBack(contested);
  }
  await vi.waitFor(async () => expect(await said()).toContain(contested), patience);
  aheadMs += 2 * 3_600_000;
  // Anything that makes it look.
  await isTakenAndPutBack(tenantQueue(spec.owner.tenantId, false));
  await vi.waitFor(async () => expect(await said()).toBe(""), patience);
});

test("R-PAYG-7: what was borrowed is taken back by who bought it; the other's attempt ends, and says so", async () => {
  const guest = newOwner();
  const borrowed = Array.from({ length: 4 }, () =>
    jobSpec({ ...guest }, { preemptible: true }, fourCpus),
  );
  for (const spec of borrowed) await driver.create(spec);
  await driver.reaches("running", ...borrowed);
  const bought = jobSpec(limitedOwner(), {}, fourCpus);
  await started(bought);
  const states = await Promise.all(
    borrowed.map(async (spec) => (await driver.machine(spec)).workload),
  );
  const taken = states.filter((workload) => workload?.state === "ended");
  expect(taken).toHaveLength(1);
  expect(taken[0]?.end).toEqual({
    kind: "evicted",
    by: "reclaimed",
    detail: expect.stringMatching(
      /^It made room for another customer who took back a share of his own/u,
    ),
  });
  expect(taken[0]?.endedAt).toBeGreaterThanOrEqual(taken[0]?.startedAt ?? Infinity);
  // Its next attempt is the control plane's: the cluster begins nothing of it again.
  const ended = present(
    borrowed.find((_, index) => states[index]?.state === "ended"),
    "the one that was taken off",
  );
  await vi.waitFor(() => expect(driver.jobOf(ended)).toBeUndefined(), patience);
  await driver.remove(bought, ...borrowed);
});

test("I-TEN-02: with a tenant's last project his queues go, whatever jobs ended in it, resumed by the next process", async () => {
  const owner = newOwner();
  const spec = await started(jobSpec(owner, { preemptible: true }));
  const other = await started(
    jobSpec({ ...newOwner(), tenantId: owner.tenantId }, { preemptible: true }),
  );
  const end = (of: MachineSpec) => {
    const { tenantId, projectId } = of.owner;
    return driver.provider.removeProject({ signal: driver.signal }, { tenantId, projectId });
  };
  const gone = (of: MachineSpec) =>
    vi.waitFor(async () => {
      expect(await end(of)).toEqual({ state: "gone", leftovers: [] });
    }, patience);
  // Still there, and nobody deletes what runs.
  expect(await end(spec)).toMatchObject({ state: "going" });
  driver.cluster.nodes.programEnds(driver.podOf(spec).metadata.name, {
    exitCode: 0,
    said: "exited",
  });
  await driver.reaches("ended", spec);
  await driver.remove(spec);
  await gone(spec);
  // He has another project, and his queues for it.
  expect(queueOf(other)).toBeDefined();
  await driver.remove(other);
  await end(other);
  await driver.restart();
  await gone(other);
  await vi.waitFor(() => {
    const { store } = driver.cluster.server.objects;
    const left = [kinds.clusterQueue, kinds.localQueue, kinds.configMap, kinds.networkPolicy]
      .flatMap((kind) => store.all(kind))
      .filter((each) => JSON.stringify(each).includes(owner.tenantId));
    expect(left).toEqual([]);
  }, patience);
});

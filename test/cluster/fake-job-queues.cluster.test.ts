/**
 * The queues of tenants on a control plane with Kueue and without nodes: accepted by Kueue's own
 * webhooks, kept, following what a tenant is, lent out and taken back, and gone with him.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { localQueueName, tenantQueue, tierClass } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import { jobSpec } from "#test/kube/job-cluster.ts";

import { soon } from "./fake-side/follow.ts";
import { buyer, cohortName, cpuFlavor, hasQueue } from "./job-site.ts";
import { cpus, JobsUnderTest, patience, placeOf } from "./jobs-under-test.ts";
import { underTest } from "./under-test.ts";

const { fakeNodes, settings } = await underTest();
const isPlayed = fakeNodes && (await hasQueue("kueue"));
const inUse = "kueue.x-k8s.io/resource-in-use";

/** Of CPUs, as the object says it. */
function nominal(queue: KubeObject | undefined): string {
  const [group] = listAt(queue, "spec", "resourceGroups");
  const flavor = listAt(group, "flavors").find((each) => textAt(each, "name") === cpuFlavor);
  return textAt(
    listAt(flavor, "resources").find((each) => textAt(each, "name") === "cpu"),
    "nominalQuota",
  );
}

describe.skipIf(!isPlayed)("queues of tenants, by Kueue's own manager", () => {
  let jobs: JobsUnderTest;
  beforeAll(async () => {
    jobs = await JobsUnderTest.start("scripted");
  });
  afterEach(() => jobs.clear());
  afterAll(() => jobs.close());

  async function started(spec: MachineSpec): Promise<MachineSpec> {
    await jobs.create(spec);
    await jobs.reaches("running", spec);
    return spec;
  }

  const cohort = () => jobs.client.get(soon(), kinds.cohort, { name: cohortName });

  test("what somebody deletes or edits by hand is put right, once what is in use has ended", async () => {
    const spec = await started(jobSpec(jobs.owner(), { preemptible: true }, cpus(1)));
    const { client } = jobs;
    const { tenantId } = spec.owner;
    const kept = [
      [kinds.clusterQueue, { name: tenantQueue(tenantId, false) }],
      [kinds.cohort, { name: cohortName }],
      [kinds.localQueue, { ...placeOf(spec), name: localQueueName(false) }],
      [
        kinds.workloadPriorityClass,
        { name: tierClass({ controlPlaneId: settings.controlPlane }, "gold") },
      ],
    ] as const;
    for (const [kind, name] of kept) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const was = present(await client.get(soon(), kind, name), kind.kind);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await client.delete(soon(), kind, name);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await vi.waitFor(async () => {
        const now = await client.get(soon(), kind, name);
        expect(now?.metadata.deletionTimestamp).toBeUndefined();
        expect(now?.metadata.uid ?? was.metadata.uid).not.toBe(was.metadata.uid);
      }, patience);
    }
    const spot = { name: tenantQueue(tenantId, true) };
    await client.patch(soon(), kinds.clusterQueue, {
      name: spot,
      patch: { spec: { stopPolicy: "Hold" } },
    });
    await vi.waitFor(async () => {
      const queue = await client.get(soon(), kinds.clusterQueue, spot);
      expect(textAt(queue, "spec", "stopPolicy")).toBe("None");
    }, patience);
    expect((await jobs.machine(spec)).workload?.state).toBe("running");
    // Held by Kueue as long as a job runs in it: what goes is put back when it is gone.
    const used = present(await jobs.queueOf(spec.owner, true), "the queue that is in use");
    expect(used.metadata.finalizers).toEqual([inUse]);
    await client.delete(soon(), kinds.clusterQueue, spot);
    expect((await jobs.queueOf(spec.owner, true))?.metadata.deletionTimestamp).toBeDefined();
    const next = jobSpec(spec.owner, { preemptible: true }, cpus(1));
    await jobs.create(next);
    await jobs.waitsFor("queue_closed", next);
    jobs.programEnds(await jobs.podOf(spec), { exitCode: 0, said: "exited" });
    await jobs.reaches("ended", spec);
    expect((await jobs.machine(spec)).workload?.end).toEqual({ kind: "exited", exitCode: 0 });
    await vi.waitFor(async () => {
      const now = await jobs.queueOf(spec.owner, true);
      expect(now?.metadata.uid ?? used.metadata.uid).not.toBe(used.metadata.uid);
    }, patience);
    await jobs.reaches("running", next);
  });

  test("a flavor that somebody deletes stays while queues name it, and is made anew for the next job", async () => {
    const spec = await started(jobSpec(jobs.owner(), { preemptible: true }, cpus(1)));
    const flavor = { name: cpuFlavor };
    const was = present(await jobs.client.get(soon(), kinds.resourceFlavor, flavor), "the flavor");
    expect(was.metadata.finalizers).toEqual([inUse]);
    await jobs.client.delete(soon(), kinds.resourceFlavor, flavor);
    const next = await started(jobSpec(spec.owner, { preemptible: true }, cpus(1)));
    const going = await jobs.client.get(soon(), kinds.resourceFlavor, flavor);
    expect(going?.metadata.uid).toBe(was.metadata.uid);
    await jobs.remove(spec, next);
    await jobs.projectsEnd();
    await vi.waitFor(async () => {
      expect(await jobs.client.get(soon(), kinds.resourceFlavor, flavor)).toBeUndefined();
    }, patience);
    await started(jobSpec(jobs.owner(), { preemptible: true }, cpus(1)));
  });

  test("a tenant's quota follows his tier, without another job, and what runs goes on", async () => {
    const spec = await started(
      jobSpec(jobs.owner(), { preemptible: true, tier: "ordinary" }, cpus(1)),
    );
    const { tenantId } = spec.owner;
    expect(nominal(await jobs.queueOf(spec.owner))).toBe("0");
    const before = Number(nominal(await cohort()));
    await jobs.provider.tellTiers(soon(), new Map([[tenantId, "gold"]]));
    await vi.waitFor(async () => {
      expect(nominal(await jobs.queueOf(spec.owner))).toBe("4");
      expect(Number(nominal(await cohort()))).toBe(before - 4);
    }, patience);
    await jobs.provider.tellTiers(soon(), new Map([[tenantId, "ordinary"]]));
    await vi.waitFor(async () => {
      expect(nominal(await jobs.queueOf(spec.owner))).toBe("0");
    }, patience);
    expect((await jobs.machine(spec)).workload?.state).toBe("running");
    await jobs.remove(spec);
  });

  test("while it waits for quota it says which, and starts when there is room", async () => {
    const owner = jobs.owner(buyer);
    const [first, rest, waits] = [cpus(4), cpus(4), cpus(2)].map((size) =>
      jobSpec(owner, {}, size),
    );
    if (first === undefined || rest === undefined || waits === undefined) throw new Error("three");
    await jobs.create(first, rest);
    await jobs.reaches("running", first, rest);
    await jobs.create(waits);
    await jobs.waitsFor("quota", waits);
    const { waiting } = await jobs.machine(waits);
    expect(JSON.stringify(waiting)).toContain(cpuFlavor);
    await jobs.remove(first);
    await jobs.reaches("running", waits);
    const never = jobSpec(owner, {}, cpus(9));
    await expect(jobs.create(never)).rejects.toMatchObject({ code: "refused" });
    await jobs.remove(rest, waits);
  });

  test("R-PAYG-7: what was borrowed is taken back by who bought it; the other's attempt ends, and says so", async () => {
    const guest = jobs.owner();
    const borrowed = Array.from({ length: 4 }, () =>
      jobSpec(guest, { preemptible: true }, cpus(4)),
    );
    const bought = jobSpec(jobs.owner(buyer), {}, cpus(4));
    await jobs.create(...borrowed);
    await jobs.reaches("running", ...borrowed);
    await started(bought);
    const ended = await vi.waitFor(async () => {
      for (const spec of borrowed) {
        // oxlint-disable-next-line no-await-in-loop -- a few
        const { workload } = await jobs.machine(spec);
        if (workload?.state === "ended") return { spec, workload };
      }
      throw new Error("none has ended yet");
    }, patience);
    expect(ended.workload.end).toEqual({
      kind: "evicted",
      by: "reclaimed",
      detail: expect.stringMatching(
        /^It made room for another customer who took back a share of his own/u,
      ),
    });
    expect(ended.workload.endedAt).toBeGreaterThanOrEqual(ended.workload.startedAt ?? Infinity);
    // Its next attempt is the control plane's: the cluster begins nothing of it again.
    await vi.waitFor(async () => expect(await jobs.jobOf(ended.spec)).toBeUndefined(), patience);
    await jobs.remove(bought, ...borrowed);
  });

  test("of one customer's preemptible jobs one of a higher tier comes first; others' are left alone", async () => {
    const owner = jobs.owner();
    const ordinary = { preemptible: true, tier: "ordinary" } as const;
    const own = Array.from({ length: 3 }, () => jobSpec(owner, ordinary, cpus(4)));
    const other = jobSpec(jobs.owner(), ordinary, cpus(4));
    await jobs.create(...own, other);
    await jobs.reaches("running", ...own, other);
    const higher = jobSpec(owner, { preemptible: true, tier: "diamond" }, cpus(4));
    await started(higher);
    await vi.waitFor(async () => {
      const ends = await Promise.all(own.map(async (spec) => (await jobs.machine(spec)).workload));
      expect(ends.flatMap((workload) => workload?.end ?? [])).toEqual([
        {
          kind: "evicted",
          by: "preempted",
          detail: expect.stringContaining("work of a higher class of the same customer"),
        },
      ]);
    }, patience);
    // Nobody of another customer is pushed out, whatever he pays.
    const more = Array.from({ length: 3 }, () =>
      jobSpec(owner, { preemptible: true, tier: "diamond" }, cpus(4)),
    );
    await jobs.create(...more);
    await vi.waitFor(async () => {
      const running = await Promise.all(more.map((spec) => jobs.machine(spec)));
      const states = running.map(({ workload }) => workload?.state);
      expect(states.filter((state) => state === "running")).toHaveLength(2);
    }, patience);
    expect((await jobs.machine(other)).workload?.state).toBe("running");
  });

  test("I-TEN-02: with a tenant's last project his queues go, whatever held them", async () => {
    const owner = jobs.owner();
    const spec = await started(jobSpec(owner, { preemptible: true }, cpus(1)));
    const { tenantId, projectId } = owner;
    const end = await jobs.provider.removeProject(soon(), { tenantId, projectId });
    expect(end).toMatchObject({ state: "going" });
    expect((await jobs.queueOf(owner, true))?.metadata.deletionTimestamp).toBeUndefined();
    await jobs.remove(spec);
    expect(await jobs.projectEnds(owner)).toEqual({ state: "gone", leftovers: [] });
    await vi.waitFor(async () => {
      expect(await jobs.queueOf(owner)).toBeUndefined();
      expect(await jobs.queueOf(owner, true)).toBeUndefined();
    }, patience);
  });
});

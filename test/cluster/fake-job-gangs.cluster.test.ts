/**
 * What becomes of attempts on a control plane with Kueue and without nodes: gangs that begin and end as
 * one, jobs that somebody else takes away, drivers that were away, and what a run's times are.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { listAt, objectAt, textAt } from "#test/kube/api/json.ts";
import { gangSpecs, jobSpec } from "#test/kube/job-cluster.ts";

import { nameOf, soon } from "./fake-side/follow.ts";
import { buyer, card, hasQueue } from "./job-site.ts";
import { cpus, JobsUnderTest, patience } from "./jobs-under-test.ts";
import { underTest } from "./under-test.ts";

const { fakeNodes } = await underTest();
const isPlayed = fakeNodes && (await hasQueue("kueue"));
const exited = (exitCode: number) => ({ exitCode, said: "exited" });

describe.skipIf(!isPlayed)("attempts, by Kueue's own manager and the Job controller", () => {
  let jobs: JobsUnderTest;
  beforeAll(async () => {
    jobs = await JobsUnderTest.start("scripted");
  });
  afterEach(() => jobs.clear());
  afterAll(() => jobs.close());

  function gang(size: number, cores: number) {
    const specs = gangSpecs(jobs.owner(buyer), size).map((spec) => ({ ...spec, ...cpus(cores) }));
    const [first, second] = specs;
    if (first === undefined || second === undefined) throw new Error("two at least");
    return { specs, first, second };
  }

  test("made twice it is one; it begins and ends when its pod says, and its pod is let go of", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    const again = jobs.call(spec.owner);
    const first = await jobs.provider.create(again, spec);
    expect(await jobs.provider.create(again, spec)).toEqual(first);
    await jobs.provider.create(jobs.call(spec.owner), spec);
    await jobs.reaches("running", spec);
    const pod = await jobs.podOf(spec);
    expect(await jobs.podsOf(spec)).toHaveLength(1);
    expect(pod.metadata.finalizers).toContain(meteringFinalizer);
    const running = await jobs.machine(spec);
    expect(running.hostId).toBe(textAt(pod, "spec", "nodeName"));
    jobs.programEnds(pod, exited(3));
    await jobs.reaches("ended", spec);
    const { workload } = await jobs.machine(spec);
    expect(workload).toMatchObject({
      startedAt: running.workload?.startedAt,
      end: { kind: "exited", exitCode: 3 },
    });
    const [main] = listAt(await jobs.podOf(spec), "status", "containerStatuses");
    const finished = textAt(main, "state", "terminated", "finishedAt");
    expect(workload?.endedAt).toBe(Date.parse(finished));
    await vi.waitFor(async () => {
      const finalizers = (await jobs.podOf(spec)).metadata.finalizers ?? [];
      expect(finalizers).not.toContain(meteringFinalizer);
    }, patience);
    await jobs.remove(spec);
    expect(await jobs.jobOf(spec)).toBeUndefined();
    await expect(jobs.create(spec)).rejects.toMatchObject({ code: "refused" });
  });

  test("a gang is made when all are there, and needs quota for all of them, or none begins", async () => {
    const owner = jobs.owner(buyer);
    const other = jobSpec(owner, {}, cpus(3));
    await jobs.create(other);
    await jobs.reaches("running", other);
    const { specs, first, second } = gang(2, 3);
    await jobs.create(first);
    await jobs.waitsFor("members_missing", first);
    expect(await jobs.jobOf(first)).toBeUndefined();
    await jobs.create(second);
    await jobs.waitsFor("quota", ...specs);
    expect(await jobs.podsOf(first)).toEqual([]);
    await jobs.remove(other);
    await jobs.reaches("running", ...specs);
    expect(await jobs.podsOf(first)).toHaveLength(2);
  });

  test("a gang with cards is placed by the topology, on nodes of its flavor", async () => {
    const gpus = [{ deviceId: `${card}/0`, model: "A100", slice: 1, resource: card }];
    const specs = gangSpecs(jobs.owner(buyer), 2).map((spec) => ({ ...spec, ...cpus(1), gpus }));
    await jobs.create(...specs);
    await jobs.reaches("running", ...specs);
    const machines = await Promise.all(specs.map((spec) => jobs.machine(spec)));
    const hosts = machines.map(({ hostId }) => hostId);
    expect(new Set(hosts)).toEqual(new Set(["millrace-fake-job-3", "millrace-fake-job-4"]));
    const [first] = specs;
    if (first === undefined) throw new Error("two");
    const admission = objectAt(await jobs.workloadOf(first), "status", "admission");
    const [assigned] = listAt(admission, "podSetAssignments");
    expect(listAt(assigned, "topologyAssignment", "levels")).toEqual(["kubernetes.io/hostname"]);
  });

  test("one member that fails ends all; whose doing it was is told of each", async () => {
    const { specs, first, second } = gang(2, 1);
    await jobs.create(...specs);
    await jobs.reaches("running", ...specs);
    jobs.programEnds(await jobs.podOf(first, 1), exited(9));
    await jobs.reaches("ended", ...specs);
    expect((await jobs.machine(second)).workload?.end).toEqual({ kind: "exited", exitCode: 9 });
    expect((await jobs.machine(first)).workload?.end).toEqual({
      kind: "signaled",
      signal: "SIGTERM",
    });
  });

  test("members that all end well have ended well", async () => {
    const { specs, first } = gang(2, 1);
    await jobs.create(...specs);
    await jobs.reaches("running", ...specs);
    for (const pod of await jobs.podsOf(first)) jobs.programEnds(pod, exited(0));
    await jobs.reaches("ended", ...specs);
    for (const spec of specs) {
      // oxlint-disable-next-line no-await-in-loop -- two
      expect((await jobs.machine(spec)).workload?.end).toEqual({ kind: "exited", exitCode: 0 });
    }
  });

  test("one member whose node is lost is the platform's fault, for all", async () => {
    const { specs, first } = gang(2, 4);
    await jobs.create(...specs);
    await jobs.reaches("running", ...specs);
    const lost = await jobs.machine(first);
    await jobs.nodeFalls(lost);
    await jobs.reaches("ended", ...specs);
    for (const spec of specs) {
      // oxlint-disable-next-line no-await-in-loop -- two
      expect((await jobs.machine(spec)).workload?.end?.kind).toBe("platform_fault");
    }
    await jobs.nodeReturns(lost.hostId ?? "");
  });

  test("a node that is drained takes its job along, which is nobody's fault", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    await jobs.create(spec);
    await jobs.reaches("running", spec);
    const name = nameOf((await jobs.podOf(spec)).metadata);
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: name };
    await jobs.client.act(soon(), kinds.pod, { name, action: "eviction", method: "POST", body });
    await jobs.reaches("ended", spec);
    expect((await jobs.machine(spec)).workload?.end).toMatchObject({ kind: "evicted" });
  });

  test("a Job that somebody deleted is a fault of the platform, once, and is not made again", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    await jobs.create(spec);
    await jobs.reaches("running", spec);
    const job = await jobs.jobOf(spec);
    if (job === undefined) throw new Error("it has a Job");
    await jobs.client.delete(soon(), kinds.job, nameOf(job.metadata));
    await jobs.reaches("ended", spec);
    expect((await jobs.machine(spec)).workload?.end).toMatchObject({ kind: "platform_fault" });
    expect(await jobs.jobOf(spec)).toBeUndefined();
  });

  test("a driver that was away loses no second of a run and repeats none", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    await jobs.create(spec);
    await jobs.reaches("running", spec);
    const { startedAt } = (await jobs.machine(spec)).workload ?? {};
    const pod = await jobs.podOf(spec);
    await jobs.restart(async () => {
      jobs.programEnds(pod, exited(0));
      await vi.waitFor(async () => {
        expect(textAt(await jobs.jobOf(spec), "status", "completionTime")).toBe("");
        const [main] = listAt(await jobs.podOf(spec), "status", "containerStatuses");
        expect(textAt(main, "state", "terminated", "finishedAt")).not.toBe("");
      }, patience);
    });
    const [main] = listAt(await jobs.podOf(spec), "status", "containerStatuses");
    await jobs.reaches("ended", spec);
    const { workload } = await jobs.machine(spec);
    expect(workload?.startedAt).toBe(startedAt);
    expect(workload?.endedAt).toBe(Date.parse(textAt(main, "state", "terminated", "finishedAt")));
  });

  test("canceled while it waits for quota, and while it runs, it is gone with its Job and Workload", async () => {
    const owner = jobs.owner(buyer);
    const runs = jobSpec(owner, {}, cpus(8));
    const waits = jobSpec(owner, {}, cpus(4));
    await jobs.create(runs);
    await jobs.reaches("running", runs);
    await jobs.create(waits);
    await jobs.waitsFor("quota", waits);
    const held = await jobs.workloadOf(waits);
    if (held === undefined) throw new Error("Kueue knows it");
    await jobs.remove(waits);
    await vi.waitFor(async () => {
      expect(await jobs.client.get(soon(), kinds.workload, nameOf(held.metadata))).toBeUndefined();
    }, patience);
    await jobs.remove(runs);
    expect(await jobs.podsOf(runs)).toEqual([]);
  });
});

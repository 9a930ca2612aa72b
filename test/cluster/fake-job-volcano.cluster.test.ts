/**
 * Jobs on a control plane with Volcano and without nodes: its webhooks, its controllers and its scheduler
 * are the cluster's own. Programs are scripted.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";

import { attemptIdOf } from "#providers/kubevirt/driver/jobs/record.ts";
import { jobName, meteringFinalizer, tenantQueue } from "#providers/kubevirt/jobs/names.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import type { MachineSpec, Owner } from "#providers/provider.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import { gangSpecs, jobSpec } from "#test/kube/job-cluster.ts";

import { soon } from "./fake-side/follow.ts";
import { buyer, hasQueue } from "./job-site.ts";
import { cpus, JobsUnderTest, patience, placeOf } from "./jobs-under-test.ts";
import { underTest } from "./under-test.ts";

const { fakeNodes } = await underTest();
const isPlayed = fakeNodes && (await hasQueue("volcano"));
const exited = (exitCode: number) => ({ exitCode, said: "exited" });

describe.skipIf(!isPlayed)("jobs by Volcano's own controllers and scheduler", () => {
  let jobs: JobsUnderTest;
  beforeAll(async () => {
    jobs = await JobsUnderTest.start("scripted", "volcano");
  });
  afterEach(() => jobs.clear());
  afterAll(() => jobs.close());

  const queueOf = ({ tenantId }: Owner, preemptible = false) =>
    jobs.client.get(soon(), jobKinds.volcanoQueue, { name: tenantQueue(tenantId, preemptible) });

  async function started(...specs: readonly MachineSpec[]): Promise<void> {
    await jobs.create(...specs);
    await jobs.reaches("running", ...specs);
  }

  test("a job begins and ends when its pod says, and its pod is let go of", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    await started(spec);
    await vi.waitFor(async () => {
      expect((await jobs.podOf(spec)).metadata.finalizers).toContain(meteringFinalizer);
    }, patience);
    jobs.programEnds(await jobs.podOf(spec), exited(3));
    await jobs.reaches("ended", spec);
    const { workload } = await jobs.machine(spec);
    expect(workload?.end).toEqual({ kind: "exited", exitCode: 3 });
    const [main] = listAt(await jobs.podOf(spec), "status", "containerStatuses");
    const finished = textAt(main, "state", "terminated", "finishedAt");
    expect(workload?.endedAt).toBe(Date.parse(finished));
    await vi.waitFor(async () => {
      const finalizers = (await jobs.podOf(spec)).metadata.finalizers ?? [];
      expect(finalizers).not.toContain(meteringFinalizer);
    }, patience);
  });

  test("a gang needs room in its queue for all of them, or none begins", async () => {
    const owner = jobs.owner(buyer);
    const other = jobSpec(owner, {}, cpus(3));
    await started(other);
    const specs = gangSpecs(owner, 2).map((spec) => ({ ...spec, ...cpus(3) }));
    await jobs.create(...specs);
    await jobs.waitsFor("quota", ...specs);
    expect(await jobs.podsOf(specs[0] ?? other)).toEqual([]);
    await jobs.remove(other);
    await jobs.reaches("running", ...specs);
  });

  test("one member that fails ends all; whose doing it was is told of each", async () => {
    const specs = gangSpecs(jobs.owner(buyer), 2).map((spec) => ({ ...spec, ...cpus(1) }));
    const [first, second] = specs;
    if (first === undefined || second === undefined) throw new Error("two");
    await started(first, second);
    jobs.programEnds(await jobs.podOf(first, 1), exited(9));
    await jobs.reaches("ended", first, second);
    expect((await jobs.machine(second)).workload?.end).toEqual({ kind: "exited", exitCode: 9 });
    expect((await jobs.machine(first)).workload?.end).toEqual({
      kind: "signaled",
      signal: "SIGTERM",
    });
  });

  test("one member whose node is lost is the platform's fault, for all", async () => {
    const specs = gangSpecs(jobs.owner(buyer), 2).map((spec) => ({ ...spec, ...cpus(4) }));
    const [first] = specs;
    if (first === undefined) throw new Error("two");
    await started(...specs);
    const lost = await jobs.machine(first);
    await jobs.nodeFalls(lost);
    await jobs.reaches("ended", ...specs);
    const ends = await Promise.all(specs.map((spec) => jobs.machine(spec)));
    const kinds = ends.map(({ workload }) => workload?.end?.kind);
    expect(kinds).toEqual(["platform_fault", "platform_fault"]);
    await jobs.nodeReturns(lost.hostId);
  });

  test("by the plug-in for PyTorch: master and workers are the members by their ranks", async () => {
    const framework = { framework: "pytorch" } as const;
    const specs = gangSpecs(jobs.owner(buyer), 3, framework).map((spec) => ({
      ...spec,
      ...cpus(1),
    }));
    const [first] = specs;
    if (first === undefined) throw new Error("three");
    await started(...specs);
    const machines = await Promise.all(specs.map((spec) => jobs.machine(spec)));
    const pods = machines.map(({ locator }) => locator["pod"]?.replace(/^j-[0-9a-f-]{36}-/u, ""));
    expect(pods).toEqual(["master-0", "worker-0", "worker-1"]);
    for (const pod of await jobs.podsOf(first)) jobs.programEnds(pod, exited(0));
    await jobs.reaches("ended", ...specs);
  });

  test("a Job that somebody deleted is a fault of the platform, once, and is not made again", async () => {
    const spec = jobSpec(jobs.owner(buyer), {}, cpus(1));
    await started(spec);
    const name = { ...placeOf(spec), name: jobName(attemptIdOf(spec)) };
    await jobs.client.delete(soon(), jobKinds.volcanoJob, name);
    await jobs.reaches("ended", spec);
    expect((await jobs.machine(spec)).workload?.end).toMatchObject({ kind: "platform_fault" });
    expect(await jobs.client.get(soon(), jobKinds.volcanoJob, name)).toBeUndefined();
  });

  test("R-PAYG-7: what was borrowed is taken back by who bought it", async () => {
    const guest = jobs.owner();
    const borrowed = Array.from({ length: 4 }, () =>
      jobSpec(guest, { preemptible: true }, cpus(4)),
    );
    await started(...borrowed);
    await started(jobSpec(jobs.owner(buyer), {}, cpus(4)));
    await vi.waitFor(async () => {
      const ends = await Promise.all(
        borrowed.map(async (spec) => (await jobs.machine(spec)).workload?.end ?? []),
      );
      expect(ends.flat()).toEqual([expect.objectContaining({ kind: "evicted" })]);
    }, patience);
  });

  test("I-TEN-02: with a tenant's last project his queues go, open as they are", async () => {
    const owner = jobs.owner();
    const spec = jobSpec(owner, { preemptible: true }, cpus(1));
    await started(spec);
    expect(textAt(await queueOf(owner, true), "status", "state")).toBe("Open");
    await jobs.remove(spec);
    expect(await jobs.projectEnds(owner)).toEqual({ state: "gone", leftovers: [] });
    await vi.waitFor(async () => {
      expect(await queueOf(owner)).toBeUndefined();
      expect(await queueOf(owner, true)).toBeUndefined();
    }, patience);
  });
});

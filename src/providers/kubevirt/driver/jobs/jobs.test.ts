/** A job of one member through the driver: made once, told truly, and gone without a rest. */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import type { Admission } from "#test/kube/api/objects.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { jobSpec, limitedOwner, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver, patience, placeOf } from "#test/kube/job-driver.ts";

let driver: JobDriver;

beforeAll(async () => {
  driver = await JobDriver.start();
});
afterAll(() => driver.close());

const denyJobs: Admission = (kind) => {
  if (kind === kinds.job) throw forbidden(kinds.job, "j", "no jobs today");
};

test("made twice it is one; its end, its pod's times and who they were told by are kept", async () => {
  const spec = jobSpec(newOwner());
  const again = driver.call(spec.owner);
  const first = await driver.provider.create(again, spec);
  expect(await driver.provider.create(again, spec)).toEqual(first);
  await driver.provider.create(driver.call(spec.owner), spec);
  await driver.reaches("running", spec);
  expect(driver.podsOf(spec)).toHaveLength(1);
  const runs = await driver.machine(spec);
  expect(runs).toMatchObject({ power: { value: "running" }, guest: { ready: true } });
  expect(runs.hostId).toMatch(/^cpu-/u);
  expect(
    (await driver.provider.machines({ signal: driver.signal })).items.map(({ id }) => id),
  ).toContain(spec.id);
  const started = runs.workload?.startedAt;
  driver.cluster.nodes.programEnds(driver.podOf(spec).metadata.name, {
    exitCode: 3,
    said: "exited",
  });
  await driver.reaches("ended", spec);
  const ended = await driver.machine(spec);
  expect(ended.workload).toMatchObject({
    startedAt: started,
    end: { kind: "exited", exitCode: 3 },
  });
  expect(ended).toMatchObject({
    power: { value: "stopped" },
    stop: { reason: "guest", at: ended.workload?.endedAt },
  });
  await vi.waitFor(
    () => expect(driver.podOf(spec).metadata.finalizers ?? []).not.toContain(meteringFinalizer),
    patience,
  );
  await driver.remove(spec);
  expect(driver.jobOf(spec)).toBeUndefined();
  // What keeps a project's furniture leaves the furniture of its jobs alone.
  const way = { ...placeOf(spec), name: "job-agents" };
  expect(driver.cluster.server.objects.store.get(kinds.networkPolicy, way)).toBeDefined();
  await expect(driver.create(spec)).rejects.toMatchObject({ code: "refused" });
});

test("another owner does not get at it", async () => {
  const spec = jobSpec(newOwner());
  await driver.create(spec);
  const other = { ...spec.owner, resourceId: randomUUID() };
  await expect(driver.provider.delete(driver.call(other), spec.id)).rejects.toMatchObject({
    code: "refused",
  });
  await expect(
    driver.provider.create(driver.call(other), { ...spec, owner: other }),
  ).rejects.toMatchObject({
    code: "refused",
  });
  await expect(
    driver.provider.power(driver.call(spec.owner), spec.id, { to: "stop" }),
  ).rejects.toMatchObject({
    code: "refused",
  });
  await driver.remove(spec);
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
    await expect(driver.create(spec)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(message),
    });
    expect(await driver.provider.machine({ signal: driver.signal }, spec.id)).toBeUndefined();
  }
});

test("a Job that the cluster refuses leaves nothing behind", async () => {
  const spec = jobSpec(newOwner());
  const { admissions } = driver.cluster.server.objects;
  admissions.add(denyJobs);
  try {
    await expect(driver.create(spec)).rejects.toMatchObject({ code: "refused", effect: "none" });
  } finally {
    admissions.delete(denyJobs);
  }
  await vi.waitFor(async () => {
    expect(await driver.provider.machine({ signal: driver.signal }, spec.id)).toBeUndefined();
  }, patience);
});

test("while it waits for quota it says which, and starts when there is room", async () => {
  const cpu = { sockets: 1, cores: 4, threads: 1 };
  const owner = limitedOwner();
  const first = jobSpec(owner, {}, { cpu });
  const rest = jobSpec(owner, {}, { cpu });
  const waits = jobSpec(owner);
  await driver.create(first);
  await driver.create(rest);
  await driver.reaches("running", first);
  await driver.create(waits);
  await vi.waitFor(async () => {
    expect((await driver.machine(waits)).waiting).toMatchObject({ code: "quota", who: "nobody" });
  }, patience);
  expect(await driver.machine(waits)).toMatchObject({ power: { value: "stopped" } });
  expect(await driver.machine(waits)).not.toHaveProperty("stop");
  await driver.remove(first);
  await driver.reaches("running", waits);
  await driver.remove(rest, waits);
});

test("deleted while it runs it is gone at once, and tells of its end before that", async () => {
  const spec = jobSpec(newOwner());
  await driver.create(spec);
  await driver.reaches("running", spec);
  const ref = await driver.provider.delete(driver.call(spec.owner), spec.id);
  expect(driver.jobOf(spec)).toBeUndefined();
  await vi.waitFor(async () => {
    expect(await driver.provider.operation({ signal: driver.signal }, ref)).toEqual({
      state: "done",
    });
  }, patience);
  expect(driver.podsOf(spec)).toEqual([]);
});

test("R-GPU-06: a part of a card that the hardware keeps apart (MIG) is one of that resource", async () => {
  const resource = "nvidia.com/mig-1g.10gb";
  const gpus = [{ deviceId: `${resource}/0`, model: "A100", slice: 7, resource }];
  const spec = jobSpec(newOwner(), {}, { gpus, hostId: "mig-1" });
  await driver.create(spec);
  await driver.reaches("running", spec);
  expect((await driver.machine(spec)).hostId).toBe("mig-1");
  expect(JSON.stringify(driver.podOf(spec))).toContain(`"${resource}":"1"`);
  await driver.remove(spec);
});

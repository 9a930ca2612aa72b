/** What an operator has not made yet, or makes later: jobs wait for it, and machines go on. */
import { expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { present } from "#kernel/assert.ts";
import { jobSpec, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver } from "#test/kube/job-driver.ts";
import { byController } from "#test/kube/node-side/writing.ts";

test("without Kueue machines work, and a job is told why it does not start, and may be tried again", async () => {
  const driver = await JobDriver.start({ without: [kinds.workload, kinds.clusterQueue] });
  const { provider, signal } = driver;
  const { capabilities } = await provider.info({ signal });
  expect(capabilities.workloads).toMatchObject({
    can: false,
    because: expect.stringContaining("Kueue is not installed"),
  });
  expect(await provider.machines({ signal })).toMatchObject({ complete: true });
  await expect(driver.create(jobSpec(newOwner()))).rejects.toMatchObject({
    code: "unavailable",
    effect: "none",
    message: expect.stringContaining("Kueue is not installed"),
  });
  await driver.close();
});

test("a PriorityClass that an operator makes after the start counts for the next job at once", async () => {
  const driver = await JobDriver.start();
  const { provider, signal } = driver;
  const { objects } = driver.cluster.server;
  const machines = present(objects.store.get(kinds.priorityClass, { name: "machines" }), "it");
  objects.store.remove(kinds.priorityClass, machines);
  expect((await provider.info({ signal })).capabilities.workloads).toMatchObject({
    can: false,
    because: expect.stringContaining("give both classes of machines a priorityClass above"),
  });
  const spec = jobSpec(newOwner());
  await expect(driver.create(spec)).rejects.toMatchObject({ code: "unavailable", effect: "none" });
  expect(await provider.machine({ signal }, spec.id)).toBeUndefined();
  objects.create(
    kinds.priorityClass,
    undefined,
    { metadata: { name: "machines" }, value: 1000 },
    byController,
  );
  await driver.create(spec);
  await driver.reaches("running", spec);
  expect((await provider.info({ signal })).capabilities.workloads).toEqual({ can: true });
  await driver.remove(spec);
  await driver.close();
});

/** Members of a gang: all begin or none, and the end of one is the end of all. */

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { attemptLabel, jobName } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { gangSpecs, jobSpec, limitedOwner, newOwner } from "#test/kube/job-cluster.ts";
import { JobDriver, patience } from "#test/kube/job-driver.ts";

import { attemptIdOf } from "./record.ts";

let driver: JobDriver;

beforeAll(async () => {
  driver = await JobDriver.start();
});
afterAll(() => driver.close());

test("is made when all are there: the first is told where it will be, nothing runs before", async () => {
  const specs = gangSpecs(newOwner(), 3);
  const [first, second, third] = specs;
  if (first === undefined || second === undefined || third === undefined) throw new Error("three");
  await driver.create(first);
  const { address, waiting } = await driver.machine(first);
  expect(address).toBe(`${jobName(attemptIdOf(first))}-0.${jobName(attemptIdOf(first))}`);
  expect(waiting).toMatchObject({ code: "members_missing", details: { here: 1, size: 3 } });
  await driver.create(third);
  expect(driver.jobOf(first)).toBeUndefined();
  await driver.create(second);
  await driver.reaches("running", ...specs);
  expect(driver.podsOf(first)).toHaveLength(3);
  const names = await Promise.all(
    specs.map(async ({ id }) => (await driver.machine({ id })).locator["pod"]),
  );
  expect(new Set(names).size).toBe(3);
  await driver.remove(...specs);
});

test("needs quota for all of them, or none begins", async () => {
  const owner = limitedOwner();
  const cpu = { sockets: 1, cores: 3, threads: 1 };
  const other = jobSpec(owner, {}, { cpu });
  await driver.create(other);
  await driver.reaches("running", other);
  const specs = gangSpecs(owner, 2).map((spec) => ({ ...spec, cpu }));
  const [first, second] = specs;
  if (first === undefined || second === undefined) throw new Error("two");
  await driver.create(first);
  await driver.create(second);
  await vi.waitFor(async () => {
    for (const { id } of specs) expect((await driver.machine({ id })).waiting?.code).toBe("quota");
  }, patience);
  expect(driver.podsOf(first)).toEqual([]);
  await driver.remove(other);
  await driver.reaches("running", ...specs);
  await driver.remove(first, second);
});

test("runs on a flavor without the topology that the site has for others", async () => {
  const levels = ["example.com/rack", "kubernetes.io/hostname"];
  const topology = { name: "racks", levels, packWithin: "example.com/rack" };
  const other = await JobDriver.start({ jobs: { topology } });
  try {
    const specs = gangSpecs(newOwner(), 2);
    for (const spec of specs) await other.create(spec);
    await other.reaches("running", ...specs);
    for (const spec of specs) expect(other.podsOf(spec)).toHaveLength(2);
    await other.remove(...specs);
  } finally {
    await other.close();
  }
});

test("one member that fails ends all; whose doing it was is told of each", async () => {
  const specs = gangSpecs(newOwner(), 2);
  for (const spec of specs) await driver.create(spec);
  await driver.reaches("running", ...specs);
  const [first, second] = specs;
  if (first === undefined || second === undefined) throw new Error("two");
  driver.cluster.nodes.programEnds(driver.podOf(first, 1).metadata.name, {
    exitCode: 9,
    said: "exited",
  });
  await driver.reaches("ended", first);
  await driver.reaches("ended", second);
  expect((await driver.machine(second)).workload?.end).toEqual({ kind: "exited", exitCode: 9 });
  expect((await driver.machine(first)).workload?.end).toEqual({
    kind: "signaled",
    signal: "SIGTERM",
  });
  await driver.remove(first, second);
});

test("a member that is gone before the others takes no word of theirs along: they end, and go", async () => {
  const specs = gangSpecs(newOwner(), 2);
  for (const spec of specs) await driver.create(spec);
  await driver.reaches("running", ...specs);
  const [first] = specs;
  if (first === undefined) throw new Error("two");
  const { objects } = driver.cluster.server;
  const records = objects.store
    .all(kinds.configMap)
    .filter(({ metadata }) => metadata.labels?.[attemptLabel] === attemptIdOf(first));
  const noted = records.filter(({ metadata }) => metadata.annotations?.["millrace.dev/job"]);
  expect(noted).toHaveLength(1);
  const rest = specs.filter(({ id }) => !noted[0]?.metadata.name.includes(id));
  await driver.restart(() => {
    for (const each of noted) objects.store.remove(kinds.configMap, each);
    for (const rank of [0, 1]) {
      const pod = driver.podOf(first, rank).metadata.name;
      driver.cluster.nodes.programEnds(pod, { exitCode: 0, said: "exited" });
    }
  });
  await driver.reaches("ended", ...rest);
  for (const spec of rest) {
    expect((await driver.machine(spec)).workload?.end).toEqual({ kind: "exited", exitCode: 0 });
  }
  await driver.remove(...rest);
  await vi.waitFor(() => expect(driver.podsOf(first)).toEqual([]), patience);
});

test("one member whose node is lost is the platform's fault, for all", async () => {
  const specs = gangSpecs(newOwner(), 2);
  for (const spec of specs) await driver.create(spec);
  await driver.reaches("running", ...specs);
  const [first, second] = specs;
  if (first === undefined || second === undefined) throw new Error("two");
  driver.cluster.nodes.nodeIsLost(driver.podOf(first, 0));
  await driver.reaches("ended", ...specs);
  for (const { id } of specs) {
    expect((await driver.machine({ id })).workload?.end?.kind).toBe("platform_fault");
  }
  await driver.remove(first, second);
});

/** What hosts say of their GPUs, and what of that reaches the machine: through the API on simulated hosts. */
import { expect, test } from "vitest";

import { createClient } from "#client/client.ts";
import { present } from "#kernel/assert.ts";
import { requestedResources } from "#providers/extended-resources.ts";
import type { MachineSpec } from "#providers/provider.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-05-04T10:00:00", { gpus: "A100=4,T4=6" });
const { provider } = cloud;
const root = cloud.operator(await cloud.customer("1.00"));

async function specOf({ api }: Customer, leaseId: string): Promise<MachineSpec> {
  const running = await cloud.until(async () => {
    const found = await api.call("getLease", { params: { leaseId } });
    expect(found.state).toBe("running");
    return found;
  });
  const id = present(running.instanceId, "the machine");
  return present(provider.platform.machine(id), "the machine").spec;
}

async function rented(of: Customer, flavor: string): Promise<MachineSpec> {
  const body = { name: flavor.replaceAll(".", "-"), flavor };
  const { lease } = await of.api.call("createLease", { body });
  return specOf(of, lease.id);
}

function setDriver(gpuDriver: string | null): Promise<unknown> {
  return root.call("updateImage", { params: { name: "tiny" }, body: { gpuDriver } });
}

test("R-GPU-03: what a node advertises a GPU as stands in the catalog, and is what its machine requests", async () => {
  const { items } = await root.call("listHosts");
  const gpus = items.flatMap((host) => host.gpus);
  const named = (model: string): unknown => {
    const { resource, sliceResource } = present(
      gpus.find((gpu) => gpu.model === model),
      model,
    );
    return { resource, sliceResource };
  };
  expect(named("A100")).toEqual({
    resource: "nvidia.com/gpu",
    sliceResource: "nvidia.com/mig-1g.10gb",
  });
  expect(named("T4")).toEqual({
    resource: "nvidia.com/gpu",
    sliceResource: "nvidia.com/GRID_T4-2Q",
  });

  const of = await cloud.customer("1000.00");
  const two = await rented(of, "a100.2");
  expect(two.gpus.map(({ resource }) => resource)).toEqual(["nvidia.com/gpu", "nvidia.com/gpu"]);
  expect(requestedResources(two.gpus)).toEqual({ "nvidia.com/gpu": 2 });
  const part = await rented(of, "t4.quarter");
  expect(requestedResources(part.gpus)).toEqual({ "nvidia.com/GRID_T4-2Q": 1 });
  const none = await rented(of, "nano");
  expect(requestedResources(none.gpus)).toEqual({});
  // Shown where the machine is kept, for people.
  const shown = await provider.machine({ signal: new AbortController().signal }, two.id);
  expect(shown?.locator).toMatchObject({ requests: "nvidia.com/gpu: 2" });
});

test("R-GPU-03: a platform is asked for a GPU under the name that its node advertises, and no other", async () => {
  const call = {
    signal: new AbortController().signal,
    operationId: "wrong-name",
    owner: { tenantId: "t", projectId: "p", resourceId: "r" },
  };
  const of = await cloud.customer("1000.00");
  const spec = await rented(of, "t4.1");
  const gpus = spec.gpus.map((gpu) => ({ ...gpu, resource: "nvidia.com/mig-1g.10gb" }));
  const other = { ...spec, id: "0190c2b4-0000-7000-8000-00000000000a", gpus, owner: call.owner };
  await expect(provider.create(call, other)).rejects.toMatchObject({
    code: "refused",
    effect: "none",
  });
});

test("R-GPU-08: a part of a GPU is cut only where node and image have drivers of one branch", async () => {
  const { items } = await root.call("listHosts");
  expect(items.map(({ gpuDriver }) => gpuDriver)).toEqual(["550.54.15"]);
  const of = await cloud.customer("1000.00");
  const ask = { body: { name: "part", flavor: "t4.quarter" } };

  await setDriver("535.161.08");
  const refused = of.api.call("createLease", ask);
  await expect(refused).rejects.toMatchObject({
    code: "unplaceable",
    message: expect.stringContaining("another GPU driver than the image has on 1"),
  });
  const job = { name: "part", flavor: "t4.quarter", command: ["true"] };
  await expect(of.api.call("createJob", { body: job })).rejects.toMatchObject({
    code: "unplaceable",
  });
  // The whole device is its machine's alone, with the driver that is in the image.
  const whole = await rented(of, "t4.1");
  expect(whole.gpus).toHaveLength(1);

  // Another patch of the same branch is the same.
  await setDriver("550.90.07");
  const { lease } = await of.api.call("createLease", ask);
  expect((await specOf(of, lease.id)).gpus).toMatchObject([{ slice: 4 }]);

  // Of an image that nobody said it of, nobody knows.
  await setDriver(null);
  const again = await of.api.call("createLease", { body: { ...ask.body, name: "other" } });
  await specOf(of, again.lease.id);
});

test("R-GPU-08: what a job needs is packed into its image, or it is refused with what is", async () => {
  const of = await cloud.customer("1000.00");
  const params = { name: "tiny" };
  const submit = (name: string, framework: "none" | "pytorch" | "tensorflow"): Promise<unknown> =>
    of.api.call("createJob", { body: { name, flavor: "nano", command: ["true"], framework } });
  await submit("unknown", "tensorflow");
  await root.call("updateImage", { params, body: { frameworks: ["pytorch"] } });
  await submit("packed", "pytorch");
  await submit("plain", "none");
  await expect(submit("missing", "tensorflow")).rejects.toMatchObject({
    code: "rule_violation",
    details: { frameworks: ["pytorch"], framework: "tensorflow" },
  });
  await expect(
    root.call("updateImage", { params: { name: "none" }, body: {} }),
  ).rejects.toMatchObject({ code: "not_found" });
  await root.call("updateImage", { params, body: { frameworks: null } });
});

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "done",
    (error: unknown) => error,
  );
}

test("I-DES-01: namespace first, then rights and quota, then what hosts have: the outermost says no", async () => {
  const [of, other] = [await cloud.customer("1000.00"), await cloud.customer("1000.00")];
  const ofOther = await other.api.call("createProject", { body: { name: "theirs" } });
  const viewer = await of.api.call("createUser", { body: { name: "Vi", role: "viewer" } });
  const key = await of.api.call("createApiKey", {
    body: { name: "vi", userId: viewer.id },
  });
  const limited = cloud.operator(of);
  await limited.call("updateQuota", { body: { vcpus: 4, memoryMiB: 1_024 } });
  // Everything is wrong with it: there is no such host, and it is over the quota.
  const flavor = "h100.1";
  const create = (projectId?: string): Promise<unknown> =>
    refusal(
      of.api.call("createLease", {
        body: { name: "m", flavor, ...(projectId === undefined ? {} : { projectId }) },
      }),
    );

  // Another tenant's namespace is not there, whatever else would be wrong.
  expect(await create(ofOther.id)).toMatchObject({ code: "not_found" });
  // Without the right nothing is said of quotas.
  const asViewer = createClient({ baseUrl: cloud.url, credential: key.secret });
  expect(
    await refusal(asViewer.call("createLease", { body: { name: "m", flavor } })),
  ).toMatchObject({ code: "forbidden" });
  // Within the namespace and with the right, the quota comes before what hosts have.
  const over = await create();
  expect(over).toMatchObject({ code: "quota_exceeded" });
  expect(JSON.stringify(over)).toContain("vcpus");
  // With all of that, it is the hosts that have none.
  await limited.call("updateQuota", { body: { vcpus: 64, memoryMiB: 262_144 } });
  expect(await create()).toMatchObject({ code: "unplaceable" });
  // And of all of it nothing was made.
  expect((await of.api.call("listLeases")).items).toEqual([]);
});

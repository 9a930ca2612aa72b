/**
 * A node that is drained, in the program as it is: what can move moves while it runs, whoever has a GPU is
 * told, and comes up elsewhere when he starts it again.
 */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import { present } from "#kernel/assert.ts";
import { KubeClient } from "#providers/kubevirt/client/client.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { textAt } from "./api/json.ts";
import { startClusterCloud } from "./cloud.ts";
import { a100 } from "./driver-cluster.ts";

const waiting = { timeout: 90_000, interval: 100 };
const cloud = await startClusterCloud({
  settings: { gpus: { [a100]: { model: "A100", memoryGib: 80 } } },
});
const { objects } = cloud.cluster.server;
const operator = (): Client => cloud.client(cloud.operatorKey);

/** On which node its machine runs, by the cluster's own word. */
function nodeOf(instanceName: string): string {
  const instance = objects.store
    .all(kinds.machineInstance)
    .find(({ metadata }) => metadata.name === instanceName);
  return textAt(present(instance, "the machine"), "status", "nodeName");
}

function podOf(instanceName: string): { readonly namespace: string; readonly name: string } {
  const pod = objects.store
    .all(kinds.pod)
    .find(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === instanceName));
  const { namespace = "", name } = present(pod, "its pod").metadata;
  return { namespace, name };
}

/** As `kubectl drain` begins: nothing new goes there. */
async function cordon(client: KubeClient, node: string, unschedulable: boolean): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  const patch = { spec: { unschedulable } };
  await client.patch({ signal }, kinds.node, { name: { name: node }, patch });
}

test("H-29, R-GPU-01: a drained node: a machine moves while it runs, one with a GPU waits for its owner, who was told and starts it elsewhere", async () => {
  await vi.waitFor(async () => {
    expect((await operator().call("listHosts")).items).toHaveLength(2);
  }, waiting);
  const { tenant, administrator } = await operator().call("createTenant", {
    body: { name: `acme-${Date.now()}` },
  });
  const forAcme = cloud.client(cloud.operatorKey, tenant.id);
  await forAcme.call("createTopUp", { body: { amount: "10000", reference: tenant.id } });
  const acme = cloud.client(administrator.secret);
  const rent = async (name: string, flavor: string): Promise<string> => {
    const body = { name, flavor, image: "tiny" };
    const { lease } = await acme.call("createLease", { body });
    await vi.waitFor(async () => {
      const { state } = await acme.call("getLease", { params: { leaseId: lease.id } });
      expect(state).toBe("running");
    }, waiting);
    return lease.id;
  };
  const machineOf = (size: string): string => {
    const machine = objects.store.all(kinds.machineInstance).find(({ metadata, ...rest }) => {
      const hasGpu = JSON.stringify(rest).includes(a100);
      return metadata.labels?.["millrace.dev/tenant"] === tenant.id && hasGpu === (size === "gpu");
    });
    return present(machine, `the ${size} machine`).metadata.name;
  };
  const eventsOf = async (leaseId: string): Promise<string[]> => {
    const { items } = await acme.call("listLeaseEvents", { params: { leaseId } });
    return items.map(({ kind }) => kind);
  };

  const train = await rent("train", "a100.1");
  const trains = machineOf("gpu");
  const from = nodeOf(trains);
  const other = from === "node-1" ? "node-2" : "node-1";
  const kubeClient = new KubeClient(cloud.cluster.server.cluster());
  // The plain one is put beside it.
  await cordon(kubeClient, other, true);
  await vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    expect(items.find(({ name }) => name === other)).toMatchObject({ state: "maintenance" });
  }, waiting);
  const web = await rent("web", "nano");
  const webs = machineOf("plain");
  expect(nodeOf(webs)).toBe(from);
  await cordon(kubeClient, other, false);
  await vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    expect(items.find(({ name }) => name === other)).toMatchObject({ state: "up" });
  }, waiting);

  await cordon(kubeClient, from, true);
  await vi.waitFor(() => expect(nodeOf(webs)).toBe(other), waiting);
  await vi.waitFor(async () => expect(await eventsOf(web)).toContain("moved"), waiting);
  expect(await eventsOf(web)).not.toContain("stopped");
  expect(nodeOf(trains)).toBe(from);
  await vi.waitFor(async () => {
    const { items } = await acme.call("listNotices");
    expect(items.map(({ kind }) => kind)).toContain("lease_evacuation");
  }, waiting);

  // Its page says what the notice says, and the overview counts it.
  const shown = await acme.call("getLease", { params: { leaseId: train } });
  expect(shown.notes.map(({ code, who }) => [code, who])).toContainEqual([
    "host_is_left",
    "customer",
  ]);
  expect(shown.notes.map(({ code }) => code)).not.toContain("not_migratable");
  expect(shown.notes.find(({ code }) => code === "host_is_left")).toMatchObject({
    message: `Its host ${from} is being emptied for maintenance. It runs on, and cannot move while it runs.`,
    advice:
      "Stop it and start it again when it suits you, and it comes up on another host with its disk.",
  });
  expect((await operator().call("getSystem")).waits).toContainEqual({
    on: "drain",
    site: "cluster-1",
    code: "node_is_drained",
    leases: 1,
    jobs: 0,
  });

  // The drain asks for the pod, is refused, and waits.
  const drain = (): void => {
    for (const refuse of objects.evictions) refuse(podOf(trains));
  };
  expect(drain).toThrow("evacuation");
  const drains = async (): Promise<string[]> =>
    (await operator().call("listAlerts", { query: { state: "open" } })).items.flatMap(({ kind }) =>
      kind === "drain_waits" ? [kind] : [],
    );
  await vi.waitFor(async () => expect(await drains()).toEqual(["drain_waits"]), waiting);

  await acme.call("stopLease", { params: { leaseId: train }, body: {} });
  await vi.waitFor(async () => {
    const { state } = await acme.call("getLease", { params: { leaseId: train } });
    expect(state).toBe("stopped");
  }, waiting);
  await acme.call("startLease", { params: { leaseId: train } });
  await vi.waitFor(async () => {
    const { state } = await acme.call("getLease", { params: { leaseId: train } });
    expect(state).toBe("running");
  }, waiting);
  expect(nodeOf(trains)).toBe(other);
  const { notes } = await acme.call("getLease", { params: { leaseId: train } });
  expect(notes.map(({ code }) => code)).not.toContain("host_is_left");
  await vi.waitFor(async () => expect(await drains()).toEqual([]), waiting);

  for (const leaseId of [train, web]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await acme.call("releaseLease", { params: { leaseId } });
  }
  await cordon(kubeClient, from, false);
  kubeClient.close();
}, 400_000);

/** A start of a machine whose disks are still being filled: KubeVirt starts it by itself, and is not told again. */
import { randomUUID } from "node:crypto";

import { afterAll, expect, test, vi } from "vitest";

import { decorate } from "#providers/decorate.ts";
import { machineName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

const waiting = { timeout: 30_000, interval: 20 };
const never = new AbortController().signal;
const cluster = await startTestCluster();
const { objects, requests } = cluster.server;
const provider = decorate(
  new KubevirtProvider({
    settings: cluster.settings,
    cluster: cluster.server.cluster(),
    now: Date.now,
  }),
);
afterAll(async () => {
  await provider.close();
  await cluster.close();
});

const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
const call = () => ({ signal: never, operationId: randomUUID(), owner });

async function made(): Promise<string> {
  const id = randomUUID();
  await provider.create(call(), sampleSpec({ id, network: "net-1", sshKeys: [], owner }));
  return id;
}

async function powerOf(id: string): Promise<string | undefined> {
  return (await provider.machine({ signal: never }, id))?.power.value;
}

function printed(id: string): unknown {
  return objects.store
    .all(kinds.machine)
    .find(({ metadata }) => metadata.name === machineName(id))?.["status"];
}

/** What KubeVirt was told to do with machines, such as start. */
function actions(): number {
  return requests.get("PUT virtualmachines.subresources.kubevirt.io") ?? 0;
}

test("a start while disks are filled is no action, however often; it comes up once they are, and only once", async () => {
  cluster.nodes.fills("waits");
  const id = await made();
  await vi.waitFor(
    () => expect(printed(id)).toMatchObject({ printableStatus: "Provisioning" }),
    waiting,
  );
  await provider.power(call(), id, { to: "start" });
  await provider.power(call(), id, { to: "start" });
  // Off and on again, while nothing has ever run.
  await provider.power(call(), id, { to: "stop" });
  await provider.power(call(), id, { to: "start" });
  await provider.power(call(), id, { to: "start" });
  expect(actions()).toBe(0);

  cluster.nodes.fills("at once");
  await vi.waitFor(async () => expect(await powerOf(id)).toBe("running"), waiting);
  await provider.power(call(), id, { to: "start" });
  expect(actions()).toBe(0);

  // A guest that ended by itself is another matter: that start is an action, of which one is enough.
  const [{ metadata } = { metadata: { name: "", namespace: "" } }] = objects.store.all(
    kinds.machineInstance,
  );
  cluster.nodes.guestEnds(metadata, "shut down");
  await vi.waitFor(async () => expect(await powerOf(id)).toBe("stopped"), waiting);
  await provider.power(call(), id, { to: "start" });
  await vi.waitFor(async () => expect(await powerOf(id)).toBe("running"), waiting);
  expect(actions()).toBe(1);
});

/** The test cluster must not be what is slow when others measure at 10,000 machines. */
import { expect, test } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { textAt } from "#test/kube/api/json.ts";
import { startKube } from "#test/kube/server.ts";

import { startNodeSide } from "./node-side.ts";

const machinesMax = 1000;

test(`${machinesMax} machines are applied over HTTP, run, and are told to a list and a watch`, async () => {
  const server = await startKube();
  const side = startNodeSide(server, {
    nodes: Array.from({ length: 20 }, (_, n) => ({ name: `node-${n}`, cpus: 512, memoryGi: 2048 })),
  });
  const client = new KubeClient(server.cluster());
  const leaving = new AbortController();
  const call = { signal: leaving.signal };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
  await client.apply(call, kinds.namespace, namespace);

  const seen = new Set<string>();
  const watched = (async () => {
    for await (const event of client.watch(call, kinds.machineInstance)) {
      if (event.type !== "changed") continue;
      const { object } = event;
      if (textAt(object, "status", "phase") === "Running") seen.add(object.metadata.name);
      if (seen.size === machinesMax) return;
    }
  })();
  const names = Array.from({ length: machinesMax }, (_, n) => `m${n}`);
  await Promise.all(names.map((name) => client.apply(call, kinds.machine, machine(name))));
  await watched;
  const { items } = await client.list(call, kinds.machine);
  expect(items).toHaveLength(machinesMax);
  expect(server.requests.get("GET virtualmachines.kubevirt.io")).toBe(machinesMax / 500);
  leaving.abort();
  side.close();
  client.close();
  await server.close();
});

function machine(name: string) {
  const domain = { cpu: { sockets: 1 }, memory: { guest: "1Gi" }, devices: {} };
  return {
    apiVersion: "kubevirt.io/v1",
    kind: "VirtualMachine",
    metadata: { name, namespace: "n" },
    spec: { runStrategy: "RerunOnFailure", template: { spec: { domain } } },
  };
}

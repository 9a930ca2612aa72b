import { randomUUID } from "node:crypto";

import { conformance } from "#providers/conformance.ts";
import { decorate } from "#providers/decorate.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";

import { KubevirtProvider } from "./provider.ts";
import { installAgents } from "#test/kube/agents.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

/** A cluster tells whole seconds, so its clock goes faster here than the machine's. */
const startedAt = Date.now();
const now = (): number => startedAt + (Date.now() - startedAt) * 200;

conformance("kubevirt", {
  testedAgainst: "our own API server with a scripted node side (test/kube), not a real cluster",
  create: async () => {
    const cluster = await startTestCluster({ now });
    const { server, settings, nodes } = cluster;
    installAgents(server);
    const open = () => decorate(new KubevirtProvider({ settings, cluster: server.cluster(), now }));
    let provider = open();
    const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
    const placeOf = (id: string) => ({
      namespace: namespaceName(owner.projectId),
      name: machineName(id),
    });
    return {
      provider,
      owner,
      spec: (overrides) =>
        sampleSpec({ name: "conformance", network: "net-1", owner, ...overrides }),
      timings: { readyMs: 60_000, operationMs: 60_000 },
      restart: async () => {
        await provider.close();
        provider = open();
        return provider;
      },
      shutDownFromInside: (id) => Promise.resolve(nodes.guestEnds(placeOf(id), "shut down")),
      close: async () => {
        await provider.close();
        await cluster.close();
      },
    };
  },
  skips: [
    {
      test: "crash",
      because: "KubeVirt starts a crashed machine anew by itself; see runs.test.ts",
    },
  ],
});

/**
 * What the contract promises of workloads, of jobs that Kueue admits: the scripts in the pods are real, and
 * so is the way of their logs and results. The rest of the contract is tested beside `provider.ts`.
 */
import { conformance } from "#providers/conformance.ts";
import { checks } from "#providers/conformance/checks.ts";
import { decorate } from "#providers/decorate.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { memberSpec, newOwner, startJobCluster } from "#test/kube/job-cluster.ts";

conformance("kubevirt-jobs", {
  testedAgainst:
    "our own API server whose node side plays Kueue and runs the scripts of a job's pod",
  create: async () => {
    const cluster = await startJobCluster({ programs: "real" });
    const open = () => decorate(cluster.open());
    let provider = open();
    const owner = newOwner();
    return {
      provider,
      owner,
      spec: (overrides) => memberSpec(owner, overrides),
      timings: { readyMs: 60_000, operationMs: 60_000 },
      restart: async () => {
        await provider.close();
        provider = open();
        return provider;
      },
      crash: async (id) => {
        const machine = await provider.machine({ signal: AbortSignal.timeout(60_000) }, id);
        const pod = cluster.server.objects.store
          .all(kinds.pod)
          .find(({ metadata }) => metadata.name === machine?.locator["pod"]);
        cluster.nodes.nodeIsLost(pod);
      },
      close: async () => {
        await provider.close();
        await cluster.close();
      },
    };
  },
  skips: checks
    .filter(({ id }) => !id.startsWith("workload-"))
    .map(({ id }) => ({ test: id, because: "tested with machines, beside provider.ts" })),
});

/**
 * What the contract promises of workloads, on a control plane with Kueue and without nodes: Kueue's
 * webhooks and manager, the Job controller and the scheduler are the cluster's own. The scripts of the
 * pods run for real, beside the test.
 */
import { describe } from "vitest";

import { conformance } from "#providers/conformance.ts";
import { checks } from "#providers/conformance/checks.ts";
import { decorate } from "#providers/decorate.ts";
import { memberSpec } from "#test/kube/job-cluster.ts";

import { buyer, hasKueue } from "./job-site.ts";
import { JobsUnderTest } from "./jobs-under-test.ts";
import { underTest } from "./under-test.ts";

const { fakeNodes, skip } = await underTest();
const isPlayed = fakeNodes && (await hasKueue());

if (fakeNodes && !isPlayed) {
  process.stderr.write("Jobs are left out: nobody sees to Kueue's kinds on this cluster.\n");
}

describe.skipIf(!isPlayed)("jobs on nodes that are played", () => {
  conformance("kubevirt-jobs", {
    create: async () => {
      const jobs = await JobsUnderTest.start("real");
      const owner = jobs.owner(buyer);
      return {
        provider: decorate(jobs.provider),
        owner,
        spec: (overrides) => memberSpec(owner, overrides),
        timings: { readyMs: 120_000, operationMs: 120_000, tickMs: 1_000 },
        restart: async () => decorate(await jobs.restart()),
        crash: async (id) => jobs.nodeFalls(await jobs.machine({ id })),
        close: () => jobs.close(),
      };
    },
    skips: [
      ...checks
        .filter(({ id }) => !id.startsWith("workload-"))
        .map(({ id }) => ({ test: id, because: "tested with machines" })),
      ...skip.map((id) => ({ test: id, because: "left out by who ran it" })),
    ],
  });
});

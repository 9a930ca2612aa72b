/**
 * What the contract promises of workloads, on a control plane with Kueue or Volcano and without nodes:
 * webhooks, controllers and schedulers are the cluster's own. The scripts of the pods run for real,
 * beside the test.
 */
import { describe } from "vitest";

import { conformance } from "#providers/conformance.ts";
import { checks } from "#providers/conformance/checks.ts";
import { decorate } from "#providers/decorate.ts";
import { memberSpec } from "#test/kube/job-cluster.ts";

import { buyer, hasQueue } from "./job-site.ts";
import { JobsUnderTest } from "./jobs-under-test.ts";
import { underTest } from "./under-test.ts";

const { fakeNodes, skip } = await underTest();
const batches = [
  { batch: "kueue", isThere: await hasQueue("kueue") },
  { batch: "volcano", isThere: await hasQueue("volcano") },
] as const;

for (const { batch, isThere } of batches) {
  if (fakeNodes && !isThere) {
    process.stderr.write(`Jobs on ${batch} are left out: nobody sees to its kinds here.\n`);
  }

  describe.skipIf(!fakeNodes || !isThere)(`jobs on ${batch}, on nodes that are played`, () => {
    conformance(`kubevirt-${batch}`, {
      create: async () => {
        const jobs = await JobsUnderTest.start("real", batch);
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
}

/**
 * The one suite that every driver passes, against a real server where one can run. It tests what
 * provider.ts promises, as far as the driver's capabilities go: what it says it cannot do, it must
 * refuse with the reason. Use it in a test file of the driver:
 *
 *     conformance("local", { testedAgainst: "…", create: async () => ({ … }) });
 *
 * Tests run in order on one platform and share one machine where that weakens nothing, so that a
 * driver with slow machines can run it too. With CONFORMANCE_RESULTS set, the results are written
 * there for the matrix in docs/operate/PROVIDERS.md (`npm run providers:matrix`).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";

import { accessChecks } from "./conformance/access.ts";
import { identityChecks } from "./conformance/identity.ts";
import { powerChecks } from "./conformance/power.ts";
import { writeResults, type Check, type Outcome } from "./conformance/record.ts";
import { Bench, type Rig } from "./conformance/rig.ts";
import { sizeChecks } from "./conformance/sizes.ts";
import { workloadChecks } from "./conformance/workload.ts";

export type { Rig, Timings } from "./conformance/rig.ts";

export const checks: readonly Check[] = [
  ...identityChecks,
  ...powerChecks,
  ...sizeChecks,
  ...accessChecks,
  ...workloadChecks,
];

export interface ConformanceOptions {
  /** The platform and its version, for the matrix. */
  readonly testedAgainst: string;
  readonly create: () => Promise<Rig>;
  /** Checks that are left out, by their id, and why. */
  readonly skips?: readonly { readonly test: string; readonly because: string }[];
}

export function conformance(name: string, options: ConformanceOptions): void {
  const skips = new Map(options.skips?.map(({ test: id, because }) => [id, because]));
  for (const id of skips.keys()) {
    if (!checks.some((check) => check.id === id)) throw new Error(`no conformance test ${id}`);
  }

  describe(`${name} conforms`, () => {
    const ended = new Map<string, Outcome>();
    let bench: Bench | undefined;
    let execution = "unknown";

    beforeAll(async () => {
      bench = new Bench(await options.create());
      execution = (await bench.provider.info(bench.read)).execution;
    });

    for (const check of checks) {
      const because = skips.get(check.id);
      test.skipIf(because !== undefined)(`${check.id}: it ${check.title}`, async () => {
        ended.set(check.id, { outcome: "failed" });
        const outcome = await present(bench, "bench").run(check);
        ended.set(check.id, outcome);
        expect(outcome.outcome).not.toBe("failed");
      });
    }

    afterAll(async () => {
      writeResults({
        name,
        testedAgainst: options.testedAgainst,
        execution,
        results: checks.map(({ id, title }) => ({ id, title, ended: endOf(id) })),
      });
      try {
        await bench?.removeAll();
      } finally {
        await bench?.rig.close();
      }
    });

    function endOf(id: string): Outcome {
      const because = skips.get(id);
      if (because !== undefined) return { outcome: "skipped", because };
      return ended.get(id) ?? { outcome: "failed" };
    }
  });
}

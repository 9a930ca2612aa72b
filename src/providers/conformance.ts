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

import { checks } from "./conformance/checks.ts";
import { aboutOf, writeResults, type Outcome } from "./conformance/record.ts";
import { Bench, type Rig } from "./conformance/rig.ts";

export type { Rig } from "./conformance/rig.ts";

export interface ConformanceOptions {
  /** The platform and its version, for the matrix; without it the driver is not in there. */
  readonly testedAgainst?: string;
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
    let about: ReturnType<typeof aboutOf> | undefined;

    beforeAll(async () => {
      bench = new Bench(await options.create());
      about = aboutOf(await bench.provider.info(bench.read));
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
      if (options.testedAgainst !== undefined && about !== undefined) {
        const results = checks.map(({ id, title }) => ({ id, title, ended: endOf(id) }));
        writeResults({ name, testedAgainst: options.testedAgainst, ...about, results });
      }
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

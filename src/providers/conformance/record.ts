/**
 * Runs the checks as Vitest tests and writes down how each ended, so that the matrix in the docs
 * is made of results and not of opinions. Results go to the folder that CONFORMANCE_RESULTS names,
 * one file for each driver; without it nothing is written.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

import type { ProviderInfo } from "#providers/provider.ts";

import type { Bench } from "./rig.ts";

export interface Check {
  /** Stable: names the row in the matrix. */
  readonly id: string;
  readonly title: string;
  readonly run: (bench: Bench) => Promise<void>;
}

const outcome = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("passed"), note: z.exactOptional(z.string()) }),
  z.object({ outcome: z.literal("failed") }),
  /** The platform says that it cannot, and refuses as it should. */
  z.object({ outcome: z.literal("not_possible"), because: z.string() }),
  /** Left out on purpose. */
  z.object({ outcome: z.literal("skipped"), because: z.string() }),
]);

export type Outcome = z.infer<typeof outcome>;

export const resultsFile = z.object({
  name: z.string(),
  /** The platform and version that the tests ran against, e.g. `QEMU 7.2 with KVM`. */
  testedAgainst: z.string(),
  execution: z.string(),
  idempotency: z.string(),
  /** Why it cannot, for what it cannot do; null for what it can. */
  capabilities: z.record(z.string(), z.string().nullable()),
  results: z.array(z.object({ id: z.string(), title: z.string(), ended: outcome })),
});

export type Results = z.infer<typeof resultsFile>;

/** What the driver says of itself, as the results keep it. */
export function aboutOf({
  execution,
  capabilities: { idempotency, ...capabilities },
}: ProviderInfo): Pick<Results, "execution" | "idempotency" | "capabilities"> {
  return {
    execution,
    idempotency,
    capabilities: Object.fromEntries(
      Object.entries(capabilities).map(([name, each]) => [name, each.can ? null : each.because]),
    ),
  };
}

export function writeResults(results: Results): void {
  const folder = process.env["CONFORMANCE_RESULTS"];
  if (folder === undefined || folder === "") return;
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify(resultsFile.parse(results), undefined, 2)}\n`;
  writeFileSync(join(folder, `${results.name}.json`), text);
}

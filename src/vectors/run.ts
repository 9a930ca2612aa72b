/**
 * `npm run vectors -- FILE…`: every pricing vector of the files through the adapter. Prints each
 * failure with expected and got, each unsupported kind as skipped with its name, and ends with
 * `N passed, N failed`; the exit status is 1 if any failed or a file could not be read.
 */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

import { defaultProfileJson } from "#catalog/profile.ts";

import { rateVector } from "./vectors.ts";

const fileSchema = z.looseObject({
  /** Without one, the vectors run under the default profile. */
  profile: z.record(z.string(), z.unknown()).default(defaultProfileJson),
  vectors: z.array(
    z.looseObject({
      id: z.string().optional(),
      kind: z.string(),
      expected: z.unknown().optional(),
      /** Said so by one kind of other systems' examples. */
      expected_cents: z.string().optional(),
    }),
  ),
});

export type VectorFile = z.output<typeof fileSchema>;

export interface Outcome {
  readonly name: string;
  readonly result:
    | { readonly kind: "passed" }
    | { readonly kind: "skipped"; readonly unsupported: string }
    | { readonly kind: "failed"; readonly expected: unknown; readonly got: unknown };
}

export function readVectors(path: string): VectorFile {
  return fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
}

export function runVectors({ profile, vectors }: VectorFile): Outcome[] {
  return vectors.map((vector, index) => ({
    name: `${vector.id ?? `#${index + 1}`} ${vector.kind}`,
    result: outcomeOf(vector, profile),
  }));
}

function outcomeOf(vector: VectorFile["vectors"][number], profile: unknown): Outcome["result"] {
  const expected = vector.expected ?? vector.expected_cents;
  try {
    const answer = rateVector(vector, profile);
    if (answer.kind === "unsupported") return { kind: "skipped", unsupported: answer.name };
    if (isDeepStrictEqual(answer.got, expected)) return { kind: "passed" };
    return { kind: "failed", expected, got: answer.got };
  } catch (error) {
    return { kind: "failed", expected, got: `an error: ${String(error)}` };
  }
}

function report(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ name, result }) => {
    if (result.kind === "passed") return [];
    if (result.kind === "skipped")
      return [`skipped ${name}: ${result.unsupported} is not supported`];
    const expected = JSON.stringify(result.expected);
    return [
      `FAILED  ${name}`,
      `  expected ${expected}`,
      `  got      ${JSON.stringify(result.got)}`,
    ];
  });
  const count = (kind: string): number =>
    outcomes.filter(({ result }) => result.kind === kind).length;
  const skipped = count("skipped") === 0 ? [] : [`${count("skipped")} skipped`];
  const summary = `${count("passed")} passed, ${count("failed")} failed`;
  return [...lines, ...skipped, summary, ""].join("\n");
}

/** A file that cannot be read or is no vector file counts as one failure. */
function outcomesOf(path: string): Outcome[] {
  try {
    return runVectors(readVectors(path));
  } catch (error) {
    const got = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return [{ name: path, result: { kind: "failed", expected: "a file of vectors", got } }];
  }
}

function main(paths: readonly string[]): number {
  if (paths.length === 0) {
    process.stderr.write("usage: npm run vectors -- FILE…\n");
    return 64;
  }
  const outcomes = paths.flatMap((path) => outcomesOf(path));
  process.stdout.write(report(outcomes));
  return outcomes.some(({ result }) => result.kind === "failed") ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));

/** `job submit --batch`: many jobs from a file, each answered by itself, or all or none. */
import { readTextFile } from "#cli/files.ts";
import type { Session } from "#cli/session.ts";
import { table, type Column } from "#cli/table.ts";
import { none } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";
import { jobsPerBatchMax } from "#contract/schemas/jobs.ts";
import { isFailureCode, Failure } from "#kernel/failure.ts";

/** Under the largest body that a server takes (1 MiB). */
const batchCharactersMax = 500_000;

type Outcome = AnswerOf<"createJobBatch">["results"][number];

const columns: readonly Column<Outcome>[] = [
  { title: "JOB", cell: (item) => item.index, right: true },
  { title: "OUTCOME", cell: (item) => item.outcome },
  { title: "ID", cell: (item) => (item.outcome === "accepted" ? item.id : none) },
  { title: "WHY", cell: (item) => (item.outcome === "refused" ? item.problem.detail : none) },
];

export async function submitBatch(
  { client, out }: Session,
  { path, allOrNone }: { readonly path: string; readonly allOrNone: boolean },
): Promise<void> {
  const jobs = jobsOf(await readTextFile(path));
  const pieces = piecesOf(jobs);
  if (allOrNone && pieces.length > 1) {
    throw new Failure(
      "invalid_request",
      `All or none is for what fits one request: ${jobsPerBatchMax} jobs and ${batchCharactersMax} characters at most; these are ${jobs.length} jobs.`,
    );
  }
  const results: Outcome[] = [];
  for (const piece of pieces) {
    const from = results.length;
    // oxlint-disable-next-line no-await-in-loop -- in order: each takes of quota and credit
    const answer = await client.call("createJobBatch", { body: { jobs: piece, allOrNone } });
    results.push(...answer.results.map((each) => ({ ...each, index: each.index + from })));
  }
  const accepted = results.flatMap((each) => (each.outcome === "accepted" ? [each.id] : []));
  const refused = results.flatMap((each) => (each.outcome === "refused" ? [each.problem] : []));
  await out.show({
    value: { accepted: accepted.length, refused: refused.length, results },
    ids: accepted,
    text: () =>
      `${table(columns, results)}\n${accepted.length} submitted, ${refused.length} refused.\n`,
  });
  const [first] = refused;
  if (first === undefined) return;
  const code = isFailureCode(first.code) ? first.code : "rule_violation";
  throw new Failure(code, `${refused.length} of ${results.length} jobs were refused.`);
}

/** An array, or one job in each line. */
function jobsOf(text: string): readonly unknown[] {
  const trimmed = text.trim();
  if (trimmed === "") throw new Failure("invalid_request", "There is no job in it.");
  const whole = jsonOf(trimmed);
  if (whole !== undefined) return Array.isArray(whole.value) ? whole.value : [whole.value];
  return trimmed
    .split("\n")
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "")
    .map(({ line, number }) => {
      const job = jsonOf(line);
      if (job !== undefined) return job.value;
      throw new Failure("invalid_request", `Line ${number} is no JSON, and neither is the whole.`);
    });
}

function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** As few requests as their limits allow. */
function piecesOf(jobs: readonly unknown[]): unknown[][] {
  const pieces: unknown[][] = [];
  let characters = 0;
  for (const job of jobs) {
    const size = JSON.stringify(job).length;
    const last = pieces.at(-1);
    if (
      last === undefined ||
      last.length === jobsPerBatchMax ||
      characters + size > batchCharactersMax
    ) {
      pieces.push([job]);
      characters = size;
    } else {
      last.push(job);
      characters += size;
    }
  }
  return pieces;
}

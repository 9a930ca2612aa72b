/** Many jobs in one request: each answered by itself, or all or none. */
import { z } from "zod";

import type { Context, Handler } from "#api/handler.ts";
import { parseEach } from "#api/input.ts";
import { problemOf } from "#api/problem.ts";
import type { Operations } from "#contract/operations.ts";
import { createJobBody, type JobOutcome } from "#contract/schemas/jobs.ts";
import { Failure } from "#kernel/failure.ts";

import { submitJobs, type Submitted } from "./submit.ts";

/** Refusals that the one problem of all or none names; the rest is counted. */
const refusalsNamedMax = 50;

export const createJobBatch: Handler<Operations["createJobBatch"]> = async ({ body }, context) => {
  const parsed = body.jobs.map((job) => parseEach(createJobBody, job));
  const asks = parsed.flatMap((each) => ("data" in each ? [each.data] : []));
  const submitted = (await submitJobs(context, asks)).values();
  const outcomes = parsed.map((each): Submitted => {
    if ("failure" in each) return { accepted: false, failure: each.failure };
    return submitted.next().value ?? { accepted: false, failure: lost() };
  });
  const refused = outcomes.flatMap((each, index) =>
    each.accepted ? [] : [{ index, failure: each.failure }],
  );
  const [first] = refused;
  if (body.allOrNone && first !== undefined) throw noneOf(outcomes.length, refused, first);
  context.note({
    details: { accepted: outcomes.length - refused.length, refused: refused.length },
    items: outcomes.map((each, index) => itemOf(each, body.jobs[index])),
  });
  return {
    accepted: outcomes.length - refused.length,
    refused: refused.length,
    results: outcomes.map((each, index) => showOutcome(context, each, index)),
  };
};

interface RefusedJob {
  readonly index: number;
  readonly failure: Failure;
}

function noneOf(count: number, refused: readonly RefusedJob[], first: RefusedJob): Failure {
  const { code, message } = first.failure;
  const named = refused.slice(0, refusalsNamedMax).map(({ index, failure }) => ({
    index,
    code: failure.code,
    detail: failure.message,
    details: failure.details,
  }));
  return new Failure(
    code,
    `Nothing was submitted: of ${count} jobs ${refused.length} were refused. Job ${first.index}: ${message}`,
    { details: { refused: refused.length, jobs: named } },
  );
}

const shown = z.object({ name: z.string(), flavor: z.string() });

/** As the audit log has a single one. */
function itemOf(
  outcome: Submitted,
  job: unknown,
): { action: string; target?: string; refusal?: Failure; details: Record<string, unknown> } {
  const details = shown.safeParse(job).data ?? {};
  const action = "job.create";
  return outcome.accepted
    ? { action, target: outcome.id, details }
    : { action, refusal: outcome.failure, details };
}

function showOutcome({ requestId }: Context, outcome: Submitted, index: number): JobOutcome {
  return outcome.accepted
    ? { outcome: "accepted", index, id: outcome.id }
    : { outcome: "refused", index, problem: problemOf(outcome.failure, requestId) };
}

function lost(): Failure {
  return new Failure("internal", "A job of a batch has no outcome.");
}

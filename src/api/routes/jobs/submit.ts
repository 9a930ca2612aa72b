/**
 * Submits jobs, one or many: what is asked of each is the same. Catalog, prices and hosts are looked at
 * once for all of them; a job that is refused says so by itself and keeps no other from its place.
 */
import type { Context } from "#api/handler.ts";
import { requireImageFits, impossibleOn, impossibleTogether } from "#api/routes/leases/leases.ts";
import { pricesNow } from "#api/routes/leases/quote.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { usableImage, type Image } from "#catalog/images.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { requireMeans } from "#dunning/require.ts";
import { besideOf } from "#flow/admit/beside.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { inputsOf, workloadOf, type JobAsk } from "#flow/admit/job.ts";
import { jobPolicy } from "#flow/admit/job-policy.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf, withDriverOf } from "#flow/admit/shape.ts";
import { admitAll, type NewWork } from "#flow/admit/work.ts";
import { gangMembersMax } from "#contract/schemas/jobs.ts";
import { projectForWork } from "#identity/projects.ts";
import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

export type Submitted =
  | { readonly accepted: true; readonly id: string }
  | { readonly accepted: false; readonly failure: Failure };

/** In order. Throws what keeps out every job of the tenant: agreements, means, a suspension. */
export async function submitJobs(
  context: Context,
  asks: readonly JobAsk[],
): Promise<readonly Submitted[]> {
  const { tx, tenantId } = context;
  await requireAgreements(tx, tenantId);
  await requireMeans(tx, { tenantId, kind: "job" });
  const prepare = await preparation(context, asks);
  const prepared: (NewWork | Failure)[] = [];
  for (const ask of asks) prepared.push(await refusalOr(prepare(ask)));
  const works = prepared.flatMap((each) => (each instanceof Failure ? [] : [each]));
  const outcomes = (await admitAll(tx, ledgerCredit, works)).values();
  return prepared.map((each): Submitted => {
    if (each instanceof Failure) return { accepted: false, failure: each };
    const { value: outcome } = outcomes.next();
    assert(outcome !== undefined, "whoever was asked about has an outcome");
    return outcome.admitted
      ? { accepted: true, id: outcome.requestId }
      : { accepted: false, failure: outcome.failure };
  });
}

/** What a job needs is in its image, not put in when it starts; of an image nobody spoke of, who knows. */
function requireFramework(
  framework: JobAsk["framework"],
  { name, frameworks }: Pick<Image, "name" | "frameworks">,
): void {
  if (framework === "none" || frameworks === null || frameworks.includes(framework)) return;
  const has = frameworks.length === 0 ? "no framework" : frameworks.join(" and ");
  throw new Failure(
    "rule_violation",
    `The image ${name} has ${has} in it, and the job needs ${framework}; choose another image.`,
    { details: { image: name, frameworks, framework } },
  );
}

/** From what is asked to what is to be admitted; it throws what this job alone breaks. */
async function preparation(
  context: Context,
  asks: readonly JobAsk[],
): Promise<(ask: JobAsk) => Promise<NewWork>> {
  const { tx, tenantId, principal } = context;
  const at = context.now();
  const prices = await pricesNow(tx, at);
  const priority = await priorityOf(context);
  const inputs = await inputsOf(tx, tenantId, asks);
  const { timeLimitSecondsMax } = await jobPolicy(tx);
  const project = once((id: string | undefined) => projectForWork(tx, tenantId, id));
  const image = once((name: string) => usableImage(tx, name));
  const offer = once(async (name: string) => {
    const shape = shapeOf(await offeredFlavor(tx, name), {});
    return { shape, price: priceOf(prices, shape) };
  });
  // One for each pair, so that hosts are looked through once for it.
  const shapes = new Map<string, Shape>();
  const impossibleAlone = new Map<string, Promise<Failure | undefined>>();
  let members = 0;
  return async (ask) => {
    const { id: projectId } = await project(ask.projectId);
    const { name: imageName, defaultUser, ...needs } = await image(ask.image);
    const { shape: offered, price } = await offer(ask.flavor);
    const pair = `${ask.flavor} ${imageName}`;
    const shape = shapes.get(pair) ?? withDriverOf(offered, needs);
    shapes.set(pair, shape);
    requireImageFits(shape, { name: imageName, ...needs });
    requireFramework(ask.framework, { name: imageName, frameworks: needs.frameworks });
    const workload = workloadOf(ask, shape, { inputs, timeLimitSecondsMax });
    const looking =
      impossibleAlone.get(pair) ?? impossibleOn(context, shape, { kind: "job", image: imageName });
    impossibleAlone.set(pair, looking);
    let impossible = await looking;
    const gang = gangOf(ask);
    if (gang !== undefined) {
      members += gang.size;
      if (members > gangMembersMax) throw tooManyMembers(members);
      impossible ??= await impossibleTogether(context, { shape, image: imageName, ...gang });
    }
    const hosts = gang?.how === "spread" ? gang.size : 1;
    const beside = await besideOf(tx, ask, { tenantId, hosts });
    return {
      tenantId,
      projectId,
      userId: principal.userId,
      kind: "job",
      name: ask.name,
      shape,
      image: imageName,
      loginUser: defaultUser,
      // Nobody logs in to a job's machine.
      sshKeys: [],
      userData: undefined,
      restart: "never",
      priority,
      workload,
      plan: "on_demand",
      price,
      ...(impossible === undefined ? {} : { impossible }),
      ...(gang === undefined ? {} : { gang }),
      ...(beside === undefined ? {} : { beside }),
      at,
    };
  };
}

/** A job of one member is no gang. */
function gangOf({ members, membersHow }: JobAsk): NewWork["gang"] {
  return members === 1 ? undefined : { size: members, how: membersHow };
}

function tooManyMembers(members: number): Failure {
  return new Failure(
    "rule_violation",
    `The gangs of one request have ${gangMembersMax} members at most together; with this one they would have ${members}.`,
    { details: { members, limit: gangMembersMax } },
  );
}

/** Asks once for each key; a refusal is an answer as well. */
function once<Key, Answer>(ask: (key: Key) => Promise<Answer>): (key: Key) => Promise<Answer> {
  const asked = new Map<Key, Promise<Answer>>();
  return (key) => {
    const known = asked.get(key) ?? ask(key);
    asked.set(key, known);
    return known;
  };
}

async function refusalOr<Answer>(answer: Promise<Answer>): Promise<Answer | Failure> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

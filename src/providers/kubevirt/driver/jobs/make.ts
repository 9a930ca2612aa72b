/**
 * The Job of an attempt, made once all its members are written down: what it needs first, the Job last.
 * What must stay true: a Job is made once. A record says that it was, so one that is missing later is one
 * that went, and is not made again; who finds it there takes it as his own.
 */
import { createHash, randomBytes } from "node:crypto";

import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { refused, refusedBecause } from "#providers/kubevirt/driver/errors.ts";
import { resourceOfDevice } from "#providers/kubevirt/driver/gpus.ts";
import { membersService } from "#providers/kubevirt/jobs/environment.ts";
import { kueueJob } from "#providers/kubevirt/jobs/kueue.ts";
import { flavorOf, jobAsk, type JobAsk, type JobPlace } from "#providers/kubevirt/jobs/model.ts";
import { jobName } from "#providers/kubevirt/jobs/names.ts";
import { accessSecret } from "#providers/kubevirt/jobs/pod.ts";
import { jobRefusals } from "#providers/kubevirt/jobs/refuse.ts";
import { memberName, volcanoJob } from "#providers/kubevirt/jobs/volcano.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec, ReadCall } from "#providers/provider.ts";

import { doorsOf, queuesOf, siteOf } from "./furniture.ts";
import type { JobHands, JobsSite } from "./hands.ts";
import { attemptIdOf, madeAnnotation, type MemberRecord } from "./record.ts";
import type { JobsSettings } from "./settings.ts";
import { imageOf, roomOf, unsold } from "./site.ts";
import { isMade } from "./sight.ts";
import { submit } from "./submit.ts";
import type { AttemptSeen } from "./view.ts";

/** Where nobody says how long a program may save its work. */
const graceSeconds = 60;

/** Of all its members; throws what is refused. */
export function askOf(
  jobs: JobsSettings,
  { site }: JobsSite,
  members: readonly MachineSpec[],
): JobAsk {
  const [first] = members;
  if (first?.workload === undefined) throw refused("There is no workload to run.");
  const { workload } = first;
  const named = members.map((member) => ({
    ...member,
    gpus: member.gpus.map((gpu) => ({ ...gpu, resource: resourceOfDevice(gpu) })),
  }));
  const policy = {
    image: imageOf(jobs, first.image),
    framework: workload.framework ?? "none",
    tier: workload.tier ?? "ordinary",
    preemptible: workload.preemptible ?? false,
    membersHow: workload.gang?.how ?? "pack",
    graceSeconds: workload.graceSeconds ?? graceSeconds,
  } as const;
  const ask = jobAsk(named, policy, site);
  if (ask !== undefined) return { ...ask, attemptId: attemptIdOf(first) };
  throw refused("The members of a job are all alike here, each with GPUs of one kind.");
}

/** Throws what would wait for ever, or share a card without a wall. */
export function demandRoom(hands: JobHands, at: JobsSite, ask: JobAsk): void {
  const { site } = at;
  const share = hands.shareOf(at, ask.owner.tenantId, ask.tier);
  const flavor = flavorOf(site, ask.gpu);
  const room = flavor === undefined ? undefined : roomOf(share, flavor.name, ask.preemptible);
  const refusals = jobRefusals(ask, { site, ...(room === undefined ? {} : { room }) });
  if (refusals.length > 0) throw refusedBecause(refusals);
}

export function isComplete({ members }: AttemptSeen): boolean {
  const [first] = members;
  return first !== undefined && members.length === first.size;
}

/** Nothing where some of it is missing still, is to go again, or a Job was made of it before. */
export async function makeJob(hands: JobHands, call: ReadCall, seen: AttemptSeen): Promise<void> {
  const { members } = seen;
  const [first] = members;
  if (first === undefined || !isComplete(seen) || isMade(seen)) return;
  if (members.some(({ going, run }) => going || run !== undefined)) return;
  const { base, jobs } = hands;
  const { client } = base;
  const at = await hands.site();
  const ask = askOf(
    jobs,
    at,
    members.map(({ spec }) => spec),
  );
  const place = { site: at.site, namespace: namespaceName(ask.owner.projectId) };
  const kind = jobs.batch === "volcano" ? jobKinds.volcanoJob : kinds.job;
  const name = { namespace: place.namespace, name: jobName(ask.attemptId) };
  const known = await client.get(call, kind, name);
  const job = known ?? (await makeAnew(hands, call, { at, ask, place, members, kind }));
  (kind === kinds.job ? hands.view.jobs : hands.view.volcanoJobs).put(job);
  // Against no version: it says the same whoever writes it.
  const patch = { metadata: { annotations: madeAnnotation(job.metadata.uid) } };
  const record = { namespace: first.namespace, name: first.name };
  const written = await client.patch(call, kinds.configMap, { name: record, patch });
  if (written !== undefined) hands.view.members.put(written.object);
}

interface Making {
  readonly at: JobsSite;
  readonly ask: JobAsk;
  readonly place: JobPlace;
  readonly members: readonly MemberRecord[];
  readonly kind: Kind;
}

async function makeAnew(hands: JobHands, call: ReadCall, making: Making): Promise<KubeObject> {
  const { at, ask, place, members, kind } = making;
  const { base, jobs, exchange, queues } = hands;
  const { client } = base;
  const { tenantId } = ask.owner;
  const share = hands.shareOf(at, tenantId, ask.tier);
  const others = [...queues.tenants()].filter((other) => other !== tenantId);
  const shares = [share, ...others.map((other) => hands.shareOf(at, other))];
  await queues.furnish(call, [
    ...siteOf(at.site, unsold(jobs, at.capacity, shares)),
    ...queuesOf(at.site, share),
    ...doorsOf(place, tenantId),
  ]);
  const token = randomBytes(32).toString("base64url");
  await exchange.open({
    attemptId: ask.attemptId,
    tokenSha256: createHash("sha256").update(token).digest("hex"),
    logBytesMax: ask.logBytesMax,
    resultsBytesMax: ask.resultsBytesMax,
    members: members.map(({ rank, machineId, workload: { inputsPath } }) => ({
      name: memberName(ask, at.site, rank),
      machineId,
      ...(inputsPath === undefined ? {} : { inputsPath }),
    })),
  });
  const forced = { ...call, force: "take-over" } as const;
  await client.apply(forced, kinds.secret, accessSecret(ask, place, token));
  if (members.length > 1) await client.apply(forced, kinds.service, membersService(ask, place));
  const object = kind === kinds.job ? kueueJob(ask, place) : volcanoJob(ask, place);
  return submit(client, call, { kind, object });
}

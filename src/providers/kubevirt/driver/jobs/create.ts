/**
 * A member of an attempt comes to be: written down first, whatever becomes of its Job. Members of a gang
 * come one by one, and the last one's coming makes the Job of all. A Job that could not be made then is
 * made by the keeper.
 */
import type { NamespaceFacts } from "#providers/kubevirt/compile/facts.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { isConflict, providerError, refused } from "#providers/kubevirt/driver/errors.ts";
import { demandPatience, sameOwner } from "#providers/kubevirt/driver/hands.ts";
import { ensureNamespace } from "#providers/kubevirt/driver/namespaces.ts";
import { withRecord } from "#providers/kubevirt/driver/records.ts";
import { isGone } from "#providers/kubevirt/driver/removal.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import {
  ProviderError,
  type Call,
  type MachineSpec,
  type OperationRef,
} from "#providers/provider.ts";

import type { JobHands } from "./hands.ts";
import { askOf, demandRoom, makeJob } from "./make.ts";
import { newRecord, recordName } from "./record.ts";

export async function createMember(
  hands: JobHands,
  call: Call,
  spec: MachineSpec,
): Promise<OperationRef> {
  demandPatience(call);
  if (!sameOwner(spec.owner, call.owner)) throw refused("the spec names another owner");
  await hands.base.demandClaim(call);
  const known = await hands.find(call, spec.id);
  if (known === undefined) await writeDown(hands, call, spec);
  const ref = await hands.operate(call, { machineId: spec.id, kind: "create" }, async () => ({}));
  const member = await hands.owned(call, spec.id);
  try {
    await makeJob(hands, call, hands.attemptOf(member));
  } catch (error) {
    // It is written down: whatever else is the matter, the keeper makes the Job later.
    const told = providerError(error);
    if (told.code !== "refused") return ref;
    const { namespace, name } = member;
    await hands.base.client.delete(call, kinds.configMap, { namespace, name });
    throw told;
  }
  return ref;
}

async function writeDown(hands: JobHands, call: Call, spec: MachineSpec): Promise<void> {
  const { base, jobs } = hands;
  if (spec.fromSnapshot !== undefined)
    throw refused("A job of the cluster has no disk to go on from.");
  if (spec.pinning !== undefined)
    throw refused("Where a job's pod runs is the cluster's choice here.");
  const at = await hands.siteNow(call);
  if (at.problem !== undefined) throw notYet(at.problem);
  const { size = 1 } = spec.workload?.gang ?? {};
  // The others will be like it: what is refused of all is refused with the first.
  const alike = Array.from({ length: size }, (_, rank) => ({ ...spec, id: `${spec.id}-${rank}` }));
  demandRoom(hands, at, askOf(jobs, at, alike));
  const namespace = namespaceName(spec.owner.projectId);
  await ensureNamespace(base, call, { spec, facts: await factsOf(hands, namespace) });
  if (await isGone(base, call, { namespace, machineId: spec.id })) {
    throw refused(`machine ${spec.id} was deleted; an id is not used twice`);
  }
  demandPatience(call);
  const operation = { id: call.operationId, kind: "create", state: "done" } as const;
  const record = newRecord(base.settings.controlPlane, spec, withRecord([], operation));
  try {
    hands.view.members.put((await base.client.create(call, kinds.configMap, record)).object);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const name = { namespace, name: recordName(spec.id) };
    const there = await base.client.get(call, kinds.configMap, name);
    if (there === undefined) throw error;
    hands.view.members.put(there);
  }
}

/** An operator can change it at any time, so the attempt waits for that and is not refused for good. */
function notYet(problem: string): ProviderError {
  const message = `This site starts no jobs for now: ${problem}. It is tried again.`;
  return new ProviderError("unavailable", message, { effect: "none" });
}

async function factsOf({ base }: JobHands, name: string): Promise<NamespaceFacts> {
  const { facts } = await base.site();
  const from = [...facts.images.values()].flatMap((image) =>
    "namespace" in image ? image.namespace : [],
  );
  return { name, clonesFrom: new Set(from), quotaOnLimits: false };
}

/**
 * A machine comes to be: its namespace, its parts, then the VirtualMachine itself, whose creation is what
 * counts. What is there under its id already is adopted; what was there and is gone stays gone.
 */
import { apiVersion } from "#providers/kubevirt/client/kind.ts";
import type { NewObject } from "#providers/kubevirt/client/object.ts";
import type { NamespaceFacts } from "#providers/kubevirt/compile/facts.ts";
import { compileMachine, type CompiledMachine } from "#providers/kubevirt/compile/machine.ts";
import { claimName } from "#providers/kubevirt/compile/domain.ts";
import { namespaceName, partName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import {
  ProviderError,
  type Call,
  type MachineSpec,
  type OperationRef,
} from "#providers/provider.ts";

import { isConflict, refused, refusedBecause } from "./errors.ts";
import { demandGpus, named } from "./gpus.ts";
import { demandPatience, sameOwner, type Hands } from "./hands.ts";
import type { SeenNode } from "./inventory.ts";
import { noDedicatedCpus, noNumaPinning } from "./capabilities.ts";
import { classKey, hostKey, pinnedKey } from "./kept.ts";
import { beginningOf, type Beginning } from "./kept-snapshots.ts";
import { ensureNamespace } from "./namespaces.ts";
import { policyOf } from "./policy.ts";
import { withRecord } from "./records.ts";
import { isGone } from "./removal.ts";

export async function create(hands: Hands, call: Call, spec: MachineSpec): Promise<OperationRef> {
  demandPatience(call);
  if (!sameOwner(spec.owner, call.owner)) throw refused("the spec names another owner");
  const known = await hands.find(call, spec.id);
  if (known !== undefined) {
    const adopted = await adopt(hands, call, spec.id);
    await ownParts(hands, call, spec.id);
    return adopted;
  }
  const namespace = namespaceName(spec.owner.projectId);
  const node = nodeOf(hands, spec.hostId);
  const disks = await beginningOf(hands, call, spec);
  const [compiled, facts] = await compile(hands, { spec, node, disks });
  await ensureNamespace(hands, call, { spec, facts });
  if (await isGone(hands, call, { namespace, machineId: spec.id })) {
    throw refused(`machine ${spec.id} was deleted; an id is not used twice`);
  }
  demandPatience(call);
  await makeParts(hands, call, compiled);
  await makeMachine(hands, call, { compiled, spec });
  await ownParts(hands, call, spec.id);
  return { id: call.operationId, machineId: spec.id, native: "create" };
}

/** The operation is written on it, whoever made it; another owner's is refused. */
function adopt(hands: Hands, call: Call, machineId: string): Promise<OperationRef> {
  return hands.operate(call, { machineId, kind: "create" }, () => ({}));
}

function nodeOf(hands: Hands, hostId: string): SeenNode {
  const node = hands.view.node(hostId);
  if (node === undefined) throw refused(`the cluster has no node ${hostId} that is offered`);
  if (!node.schedulable) {
    const message = `node ${hostId} runs no machines now: KubeVirt's agent (virt-handler) is not up there`;
    throw new ProviderError("unavailable", message, { effect: "none" });
  }
  return node;
}

async function compile(
  hands: Hands,
  of: {
    readonly spec: MachineSpec;
    readonly node: SeenNode;
    readonly disks: Beginning;
  },
): Promise<readonly [CompiledMachine, NamespaceFacts]> {
  const { spec, node, disks } = of;
  const { facts: site } = await hands.site();
  if (spec.workload !== undefined) throw refused("This site runs no jobs: see its capabilities.");
  demandPinning(spec, node);
  const gpus = named(spec.gpus, node);
  demandGpus(gpus, node, hands.view.machines.values());
  const namespace = namespaceFacts(spec.owner.projectId, site.images.values());
  const rootBytes = disks.further.reduce((rest, { bytes }) => rest - bytes, spec.diskBytes);
  const asked = { ...spec, gpus, diskBytes: rootBytes };
  const compiled = compileMachine({
    spec: asked,
    power: "on",
    site,
    namespace,
    policy: { ...policyOf(hands.settings, asked), extraDisks: disks.further },
    ...(disks.root === undefined ? {} : { rootFrom: disks.root }),
  });
  if ("refusals" in compiled) throw refusedBecause(compiled.refusals);
  return [compiled, namespace];
}

/** Which NUMA node is the kubelet's choice; CPUs of its own come with the class. */
function demandPinning({ pinning, serviceClass }: MachineSpec, node: SeenNode): void {
  if (pinning?.numaNode !== undefined) throw refused(noNumaPinning);
  if (pinning?.exclusive !== true) return;
  if (serviceClass !== "core") throw refused("CPUs of its own are of the class core here");
  if (!node.dedicatedCpus) throw refused(`node ${node.host.id}: ${noDedicatedCpus}`);
}

/** As `ensureNamespace` makes it: it may clone from wherever the site's images are. */
function namespaceFacts(
  projectId: string,
  images: Iterable<{ readonly kind: string; readonly namespace?: string }>,
): NamespaceFacts {
  const from = [...images].flatMap(({ namespace }) => namespace ?? []);
  return { name: namespaceName(projectId), clonesFrom: new Set(from), quotaOnLimits: false };
}

/** Ours by name: applied, so that a repeat is the same. */
async function makeParts(
  hands: Hands,
  call: Call,
  { secret, service, claim }: CompiledMachine,
): Promise<void> {
  const { client } = hands;
  await Promise.all([
    client.apply({ ...call, force: "take-over" }, kinds.secret, secret),
    client
      .apply({ ...call, force: "take-over" }, kinds.service, service)
      .then(({ object }) => hands.view.putService(object)),
    ...(claim === undefined
      ? []
      : [client.apply({ ...call, force: "take-over" }, kinds.resourceClaimTemplate, claim)]),
  ]);
}

/**
 * They go with the machine, whoever deletes it. Where that cannot be said now they stay a little longer: a
 * machine that is deleted by us takes them along anyway, so the machine's creation does not fail by it.
 */
async function ownParts(hands: Hands, { signal }: Call, machineId: string): Promise<void> {
  const machine = hands.view.machines.get(machineId);
  if (machine === undefined) return;
  const { namespace, name, seen } = machine;
  const { uid } = seen.metadata;
  const owner = { apiVersion: apiVersion(kinds.machine), kind: kinds.machine.kind, name, uid };
  const patch = { metadata: { ownerReferences: [owner] } };
  const parts = [
    [kinds.secret, "init"],
    [kinds.service, "ssh"],
    ...(seen.spec.template.spec.domain.devices.gpus.length > 0
      ? ([[kinds.resourceClaimTemplate, claimName]] as const)
      : []),
  ] as const;
  await Promise.allSettled(
    parts.map(([kind, part]) =>
      hands.client.patch({ signal }, kind, {
        name: { namespace, name: partName(name, part) },
        patch,
      }),
    ),
  );
}

async function makeMachine(
  hands: Hands,
  call: Call,
  { compiled, spec }: { readonly compiled: CompiledMachine; readonly spec: MachineSpec },
): Promise<void> {
  const { machine } = compiled;
  const annotations = {
    ...machine.metadata.annotations,
    [hostKey]: spec.hostId,
    [classKey]: spec.serviceClass,
    ...(spec.pinning?.exclusive === true ? { [pinnedKey]: "exclusive" } : {}),
    ...withRecord([], { id: call.operationId, kind: "create", state: "done" }),
  };
  const object: NewObject = { ...machine, metadata: { ...machine.metadata, annotations } };
  try {
    const written = await hands.client.create(call, kinds.machine, object);
    hands.view.machines.put(written.object);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const { namespace = "", name } = machine.metadata;
    const there = await hands.client.get(call, kinds.machine, { namespace, name });
    if (there === undefined) throw error;
    hands.view.machines.put(there);
    await adopt(hands, call, spec.id);
  }
}

/**
 * Another size: what KubeVirt plugs into a machine that runs (sockets, memory, a bigger disk) and what
 * waits for its next start (cores, threads, anything of a machine with a GPU); GPUs themselves stay as they are, which is said as pending.
 */
import { z } from "zod";

import { domainShape } from "#providers/kubevirt/compile/domain.ts";
import { parseUnits, printBytes } from "#providers/kubevirt/compile/quantity.ts";
import { sizeRefusals } from "#providers/kubevirt/compile/refuse-size.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, OperationRef, ReadCall, Resize } from "#providers/provider.ts";

import { doesNotGrow, noGpuResize } from "./capabilities.ts";
import { isResizeForbidden, refused, refusedBecause } from "./errors.ts";
import { resourceOfDevice } from "./gpus.ts";
import type { Doing, Found, Hands } from "./hands.ts";
import { bytesOf, classKey, diskKey, topologyOf, type KeptMachine } from "./kept.ts";
import { policyOf } from "./policy.ts";

export function resize(
  hands: Hands,
  call: Call,
  machineId: string,
  to: Resize,
): Promise<OperationRef> {
  return hands.operate(call, { machineId, kind: "resize" }, (found) =>
    doingOf(hands, call, found, to),
  );
}

async function doingOf(hands: Hands, call: Call, found: Found, to: Resize): Promise<Doing> {
  const { machine } = found;
  const impossible = sizeRefusals(to);
  if (impossible.length > 0) throw refusedBecause(impossible);
  if (to.gpus !== undefined && changesGpus(machine, to.gpus)) throw refused(noGpuResize);
  if (to.diskBytes !== undefined && to.diskBytes < machine.diskBytes) {
    throw refused(
      `a disk only grows: it has ${machine.diskBytes} bytes, ${to.diskBytes} are asked for`,
    );
  }
  const grows = to.diskBytes !== undefined && to.diskBytes > machine.diskBytes;
  if (grows) await demandGrowing(hands, machine);
  // The further ones stay as they are: the first takes all of it.
  const rootBytes = machine.rootBytes + (to.diskBytes ?? machine.diskBytes) - machine.diskBytes;
  const domain = resizedDomain(hands, machine, to);
  const patch = { spec: { template: { spec: { domain } } } };
  return {
    patch,
    ...(grows
      ? {
          annotations: { [diskKey]: String(rootBytes) },
          act: () => growDisk(hands, call, machine, rootBytes),
        }
      : {}),
  };
}

function changesGpus({ gpus }: KeptMachine, to: NonNullable<Resize["gpus"]>): boolean {
  return [...gpus].toSorted().join() !== to.map(resourceOfDevice).toSorted().join();
}

/** As a patch of it: what is not said stays as it is. */
export function resizedDomain(
  hands: Hands,
  machine: KeptMachine,
  to: Pick<Resize, "cpu" | "memoryBytes">,
): Record<string, unknown> {
  const { domain } = machine.seen.spec.template.spec;
  const serviceClass = serviceClassOf(machine);
  const shape = domainShape({
    spec: {
      cpu: to.cpu ?? topologyOf(domain.cpu),
      memoryBytes: to.memoryBytes ?? bytesOf(domain.memory.guest),
      serviceClass,
    },
    policy: policyOf(hands.settings, { serviceClass, gpus: [] }),
  });
  const { sockets, cores, threads } = shape.cpu ?? {};
  return {
    cpu: { sockets, cores, threads },
    memory: { guest: shape.memory?.guest },
    ...(shape.resources === undefined ? {} : { resources: shape.resources }),
  };
}

function serviceClassOf({ seen }: KeptMachine): "core" | "standard" {
  return seen.metadata.annotations[classKey] === "core" ? "core" : "standard";
}

/**
 * A claim with a file system is larger than the disk in it by a share that is CDI's setting (6 % unless told
 * otherwise), and stays so. What is larger by half was made so by somebody: that is no such share.
 */
export function claimBytes(
  bytes: bigint,
  { madeFor, has }: { readonly madeFor: bigint; readonly has: bigint },
): bigint {
  const isShare = madeFor > 0n && has >= madeFor && has * 2n < madeFor * 3n;
  return isShare ? (bytes * has + madeFor - 1n) / madeFor : bytes;
}

/** Of the storage that its disk is on, whatever the settings name today. */
async function demandGrowing(hands: Hands, { disks }: KeptMachine): Promise<void> {
  const { storageClass = "" } = disks[0] ?? {};
  const { facts } = await hands.site();
  if (facts.storageClasses.get(storageClass)?.grows === false) {
    throw refused(doesNotGrow(storageClass));
  }
}

/** On its claim: the disk for which it has grown, without what a file system takes beside it. */
const grownKey = "millrace.dev/grown-for-bytes";

const claimShape = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ resources: z.object({ requests: z.object({ storage: z.string() }) }) }),
});

export async function growDisk(
  hands: Hands,
  call: ReadCall,
  { namespace, disks, rootBytesMade }: KeptMachine,
  bytes: number,
): Promise<void> {
  const name = disks[0]?.name;
  if (name === undefined) throw refused("the machine has no disk that could grow");
  const found = await hands.client.get(call, kinds.claim, { namespace, name });
  if (found === undefined) throw refused("the machine's disk is not there yet; ask again later");
  const { metadata, spec } = claimShape.parse(found);
  const has = parseUnits(spec.resources.requests.storage) ?? 0n;
  const madeFor = BigInt(metadata.annotations[grownKey] ?? rootBytesMade);
  const wanted = claimBytes(BigInt(bytes), { madeFor, has });
  if (wanted <= has) return;
  const patch = {
    metadata: { annotations: { [grownKey]: String(bytes) } },
    spec: { resources: { requests: { storage: printBytes(wanted) } } },
  };
  const at = { name: { namespace, name }, patch };
  const grown = await hands.client.patch(call, kinds.claim, at).catch((error: unknown) => {
    // The class was changed since it was read, or the claim is of none: it is not our rights that lack.
    if (isResizeForbidden(error)) throw refused(doesNotGrow(disks[0]?.storageClass ?? ""), error);
    throw error;
  });
  if (grown === undefined) throw refused("the machine's disk is not there yet; ask again later");
}

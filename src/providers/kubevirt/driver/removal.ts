/**
 * The end of a machine, and that it stays ended: which machines are gone is kept in a ConfigMap of their
 * namespace for a day, so that a create which comes late, or again, brings nothing back.
 */
import { z } from "zod";

import type { Kind, ObjectName } from "#providers/kubevirt/client/kind.ts";
import { labelKeys, ourLabels, ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { machineName, namespaceName, partName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, OperationRef, ReadCall } from "#providers/provider.ts";

import { isConflict, isKindUnknown } from "./errors.ts";
import { isKept, markKept } from "./kept-snapshots.ts";
import { demandOwner, type Hands } from "./hands.ts";

const goneName = "millrace-gone";
const keptMs = 24 * 3_600_000;
/** A ConfigMap holds 1 MiB; the oldest go first. */
const keptMax = 4_000;
const triesMax = 6;

const configMap = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).default({}),
});

/** With `keep` its snapshot of that id stays. */
export async function remove(
  hands: Hands,
  call: Call,
  machineId: string,
  keep?: string,
): Promise<OperationRef> {
  const ref = { id: call.operationId, machineId, native: "delete" };
  const machine = await hands.find(call, machineId);
  if (machine !== undefined) demandOwner(machine, call.owner);
  if (machine !== undefined && keep !== undefined) {
    await markKept(hands, call, { machine, snapshotId: keep });
  }
  const namespace = machine?.namespace ?? namespaceName(call.owner.projectId);
  if (!(await exists(hands, call, namespace))) return ref;
  await noteGone(hands, call, { namespace, machineId });
  const name = machine?.name ?? machineName(machineId);
  if (machine !== undefined) {
    const { uid } = machine.seen.metadata;
    await hands.client.delete({ ...call, uid }, kinds.machine, { namespace, name });
  }
  const parts = [
    [kinds.secret, partName(name, "init")],
    [kinds.service, partName(name, "ssh")],
    [kinds.resourceClaimTemplate, partName(name, "gpus")],
  ] as const;
  await Promise.all(
    parts.map(([kind, part]) => removePart(hands, call, kind, { namespace, name: part })),
  );
  const { signal } = call;
  const labels = `${ourSelector(hands.settings.controlPlane)},${labelKeys.machine}=${machineId}`;
  const snapshots = await hands.client.list({ signal }, kinds.snapshot, { namespace, labels });
  for (const snapshot of snapshots.items.filter((each) => !isKept(each))) {
    // oxlint-disable-next-line no-await-in-loop -- a handful
    await hands.client.delete(call, kinds.snapshot, { namespace, name: snapshot.metadata.name });
  }
  return ref;
}

/** Of a kind that the cluster does not know (DRA on an older one) it has none. */
async function removePart(
  { client }: Hands,
  call: Call,
  kind: Kind,
  name: ObjectName,
): Promise<void> {
  try {
    await client.delete(call, kind, name);
  } catch (error) {
    if (!isKindUnknown(error)) throw error;
  }
}

export async function isGone(
  hands: Hands,
  { signal }: ReadCall,
  at: { readonly namespace: string; readonly machineId: string },
): Promise<boolean> {
  const { namespace, machineId } = at;
  const object = await hands.client.get({ signal }, kinds.configMap, { namespace, name: goneName });
  return object !== undefined && configMap.parse(object).data[machineId] !== undefined;
}

export async function noteGone(
  hands: Hands,
  call: Call,
  { namespace, machineId }: { readonly namespace: string; readonly machineId: string },
): Promise<void> {
  const { client, now } = hands;
  const name = { namespace, name: goneName };
  for (let tries = 1; ; tries += 1) {
    const object = await client.get(call, kinds.configMap, name);
    const known = object === undefined ? undefined : configMap.parse(object);
    if (known?.data[machineId] !== undefined) return;
    const at = new Date(now()).toISOString();
    try {
      if (known === undefined) {
        const metadata = { ...name, labels: ourLabels(hands.settings.controlPlane) };
        const created = {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata,
          data: { [machineId]: at },
        };
        await client.create(call, kinds.configMap, created);
      } else {
        const { resourceVersion } = known.metadata;
        const data = { ...forgotten(known.data, now()), [machineId]: at };
        const patch = { metadata: { resourceVersion }, data };
        await client.patch(call, kinds.configMap, { name, patch });
      }
      return;
    } catch (error) {
      if (!isConflict(error) || tries === triesMax) throw error;
    }
  }
}

/** A merge patch that removes what is old. */
function forgotten(
  data: Readonly<Record<string, string>>,
  now: number,
): Readonly<Record<string, null>> {
  const entries = Object.entries(data).toSorted(([, a], [, b]) => (a < b ? -1 : 1));
  const tooMany = Math.max(0, entries.length - keptMax);
  const old = entries.filter(([, at], index) => index < tooMany || now - Date.parse(at) > keptMs);
  return Object.fromEntries(old.map(([id]) => [id, null]));
}

async function exists(hands: Hands, { signal }: ReadCall, name: string): Promise<boolean> {
  return (await hands.client.get({ signal }, kinds.namespace, { name })) !== undefined;
}

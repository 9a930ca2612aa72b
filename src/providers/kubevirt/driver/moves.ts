/** Moves a machine to another node while it runs, by a migration that is named after the operation. */
import { migration, migrationRefusals } from "#providers/kubevirt/compile/migration.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { conditionOf, read } from "#providers/kubevirt/observe/seen.ts";
import { migrationProgress, type Progress } from "#providers/kubevirt/observe/snapshot.ts";
import type { Call, OperationRef, ReadCall } from "#providers/provider.ts";

import { isConflict, refused, refusedBecause } from "./errors.ts";
import type { Doing, Found, Hands } from "./hands.ts";
import type { KeptMachine } from "./kept.ts";

export function move(
  hands: Hands,
  call: Call,
  machineId: string,
  hostId: string | undefined,
): Promise<OperationRef> {
  return hands.operate(call, { machineId, kind: "move" }, (found) =>
    doingOf(hands, call, found, hostId),
  );
}

async function doingOf(
  hands: Hands,
  call: Call,
  { machine, instance }: Found,
  hostId: string | undefined,
): Promise<Doing> {
  const status = instance?.seen.status;
  if (instance === undefined || status?.phase !== "Running") {
    throw refused(
      "a machine that does not run cannot move: start it, and it comes up where it can",
    );
  }
  if (hostId !== undefined && status.nodeName === hostId) return {};
  const { facts } = await hands.site();
  const refusals = migrationRefusals(machine, machine.disks, facts);
  if (refusals.length > 0) throw refusedBecause(refusals);
  const movable = conditionOf(instance.seen, "LiveMigratable");
  if (movable?.status === "False") {
    const said = movable.message ?? movable.reason ?? "no reason given";
    throw refused(`KubeVirt says that it cannot move while it runs: ${said}`);
  }
  const object = migration({
    machineId: machine.machineId,
    namespace: machine.namespace,
    owner: call.owner,
    operationId: call.operationId,
    site: facts,
    ...(hostId === undefined ? {} : { hostId }),
  });
  const act = async (): Promise<void> => {
    try {
      await hands.client.create(call, kinds.migration, object);
    } catch (error) {
      // Its name is its identity: that it is there already is as good.
      if (!isConflict(error)) throw error;
    }
  };
  return { act, of: object.metadata.name };
}

/** KubeVirt forgets old migrations: one that is not there any more is over, wherever the machine is now. */
export async function moveStatus(
  { client }: Hands,
  call: ReadCall,
  { machine, name }: { readonly machine: KeptMachine; readonly name: string },
): Promise<Progress> {
  const at = { namespace: machine.namespace, name };
  const object = name === "" ? undefined : await client.get(call, kinds.migration, at);
  return object === undefined
    ? { state: "done", at: undefined }
    : migrationProgress(read.migration(object));
}

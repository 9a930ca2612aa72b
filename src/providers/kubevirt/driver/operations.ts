/** How far an operation is, from what is written on its machine and from what became of it. */
import {
  ProviderError,
  type OperationRef,
  type OperationStatus,
  type ReadCall,
} from "#providers/provider.ts";
import { endPhases, isTrue } from "#providers/kubevirt/observe/seen.ts";
import { staysOff } from "#providers/kubevirt/observe/starts.ts";
import type { Progress } from "#providers/kubevirt/observe/snapshot.ts";

import type { Hands } from "./hands.ts";
import type { KeptInstance, KeptMachine } from "./kept.ts";
import { moveStatus } from "./moves.ts";
import { recordOf, type OperationRecord } from "./records.ts";
import { revertStatus, snapshotStatus } from "./snapshots.ts";

const done = { state: "done" } as const;
const running = { state: "running" } as const;
const unknown = { state: "unknown" } as const;

export async function operationStatus(
  hands: Hands,
  call: ReadCall,
  { id, machineId, native }: OperationRef,
): Promise<OperationStatus> {
  const machine = await hands.find(call, machineId);
  const instance = hands.view.instances.get(machineId);
  // It was done before it was answered.
  if (native === "drop") return done;
  if (native === "delete") {
    const isOver = machine === undefined && instance === undefined;
    return isOver ? done : running;
  }
  const record = machine && recordOf(machine.records, id);
  if (machine === undefined || record === undefined) return unknown;
  // Asked for, and the answer was never seen: whoever wants to know looks at the machine.
  if (record.state === "asked") return unknown;
  return byKind(hands, call, { machine, instance, record });
}

async function byKind(
  hands: Hands,
  call: ReadCall,
  at: {
    readonly machine: KeptMachine;
    readonly instance: KeptInstance | undefined;
    readonly record: OperationRecord;
  },
): Promise<OperationStatus> {
  const { machine, instance, record } = at;
  const [kind = ""] = record.kind.split(" ");
  const phase = instance?.seen.status?.phase ?? "";
  switch (kind) {
    case "start":
      // Its run was deleted before it ran, and no other follows: whoever wants it on asks once more.
      if (instance === undefined && staysOff(machine.seen)) return done;
      return phase === "Running" ? done : running;
    case "stop":
    case "shutdown": {
      const isOver = instance === undefined || endPhases.has(phase);
      // Until how it ended is written down, the machine cannot say yet that it is off.
      return isOver && hands.view.view(machine).power.value !== "unknown" ? done : running;
    }
    case "pause":
    case "resume": {
      // KubeVirt has told the guest's launcher; that it is so is told by the node, a moment later.
      const isPaused = instance !== undefined && isTrue(instance.seen, "Paused");
      return phase === "Running" && isPaused !== (kind === "pause") ? running : done;
    }
    case "move":
      return fromProgress(await moveStatus(hands, call, { machine, name: record.of ?? "" }));
    case "snapshot":
      return fromProgress(await snapshotStatus(hands, call, { machine, name: record.of ?? "" }));
    case "revert":
      return fromProgress(await revertStatus(hands, call, { machine, record }));
    default:
      return done;
  }
}

function fromProgress(progress: Progress | undefined): OperationStatus {
  switch (progress?.state) {
    case undefined:
      return unknown;
    case "running":
      return running;
    case "done":
      return done;
    case "failed": {
      const { message, action } = progress.reason;
      const error = new ProviderError("refused", `${message} ${action}`, { effect: "none" });
      return { state: "failed", error };
    }
  }
}

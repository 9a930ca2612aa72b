/**
 * The second half of a revert: KubeVirt puts back only what is off, so what was on is switched on again
 * once its disks are back, or once it is known that they will not be. It puts back more than disks, too: the
 * size and the node that the machine had then, where it was sold another size since and may be placed
 * elsewhere; these are written again. A loop of its own, so that a read writes nothing and nobody has to
 * remember. What must stay true:
 *
 * - It is written on the machine that it is to be on again (`records.ts`), so any process goes on with it.
 * - Nothing is switched on twice, nor against a stop that was asked for since: the start, the end of the
 *   run before it and the record are one patch, against the version that was looked at.
 */
import { z } from "zod";

import { ProviderError, type ReadCall } from "#providers/provider.ts";
import { machineRestore } from "#providers/kubevirt/compile/snapshot.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { restoreProgress } from "#providers/kubevirt/observe/snapshot.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";

import { affinityTo } from "./elsewhere.ts";
import { isConflict, providerError } from "./errors.ts";
import type { Hands } from "./hands.ts";
import { diskKey, type KeptMachine } from "./kept.ts";
import { runSoFar } from "./power.ts";
import { withRecord, type OperationRecord } from "./records.ts";
import { growDisk, resizedDomain } from "./resize.ts";
import { rest } from "./upkeep/rest.ts";

const everyMs = 1_000;
/** Of all that are under way at once; the rest follows. */
const perPassMax = 64;
const atOnceMax = 8;
const saidCharactersMax = 300;

/** What stands in a revert's record: its restore, and how far a machine is that was on. */
const state = z.object({
  restore: z.string(),
  /** `on`: it was asked to run again, or is to stay off. `failed`: the same, and its disks are as they were. */
  power: z.enum(["start", "on", "failed"]).optional(),
  why: z.string().optional(),
  /** What it was sold with, until it has that again. */
  size: z
    .object({
      cpu: z.object({ sockets: z.int(), cores: z.int(), threads: z.int() }),
      memoryBytes: z.number(),
    })
    .optional(),
});

type RevertState = z.infer<typeof state>;

export function revertState({ of = "" }: OperationRecord): RevertState {
  try {
    return state.parse(JSON.parse(of));
  } catch {
    return { restore: of };
  }
}

export function revertRecord(next: RevertState): string {
  return JSON.stringify(next);
}

export class Reverts {
  readonly #hands: Hands;
  readonly #mayWrite: () => boolean;
  readonly #onFailed: (error: unknown) => void;
  /** Machines that a revert of theirs is to switch on again. */
  readonly #pending = new Set<string>();

  constructor(options: {
    readonly hands: Hands;
    /** False as long as the machines could be another installation's (upkeep/claim.ts). */
    readonly mayWrite: () => boolean;
    readonly onFailed: (error: unknown) => void;
  }) {
    this.#hands = options.hands;
    this.#mayWrite = options.mayWrite;
    this.#onFailed = options.onFailed;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#notice(signal), this.#work(signal)]);
  }

  async #notice(signal: AbortSignal): Promise<void> {
    const { view } = this.#hands;
    for await (const machineId of view.changes(signal)) {
      const machine = view.machines.get(machineId);
      if (machine !== undefined && waiting(machine) !== undefined) this.#pending.add(machineId);
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#mayWrite()) {
        const due = [...this.#pending].slice(0, perPassMax);
        for (let at = 0; at < due.length; at += atOnceMax) {
          const batch = due.slice(at, at + atOnceMax);
          // oxlint-disable-next-line no-await-in-loop -- so many at once
          await Promise.all(batch.map((machineId) => this.#try(machineId, signal)));
        }
      }
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      await rest(everyMs, signal);
    }
  }

  async #try(machineId: string, signal: AbortSignal): Promise<void> {
    // Last in line again, so that one that takes long keeps nobody from his turn.
    this.#pending.delete(machineId);
    try {
      if (!(await this.#settle({ signal }, machineId))) this.#pending.add(machineId);
    } catch (error) {
      this.#pending.add(machineId);
      if (!signal.aborted && !isConflict(error)) this.#onFailed(error);
    }
  }

  /** Whether nothing is left to do. */
  async #settle(call: ReadCall, machineId: string): Promise<boolean> {
    // Read anew where a watch is down: what is written below is written against its version.
    const machine = await this.#hands.find(call, machineId);
    const record = machine && waiting(machine);
    if (machine === undefined || record === undefined) return true;
    const { restore, power, size } = revertState(record);
    const outcome = await this.#outcome(call, { machine, record, restore });
    if (outcome === "running") return false;
    const sold = outcome === "done" ? await this.#asSold(call, machineId, size) : {};
    return this.#close(call, machineId, { record, outcome, power, sold });
  }

  /** What the restore took of its size and its node, as a patch; and its first disk is as large as it was. */
  async #asSold(
    call: ReadCall,
    machineId: string,
    size: RevertState["size"],
  ): Promise<Readonly<Record<string, unknown>>> {
    const before = this.#hands.view.machines.get(machineId);
    if (before === undefined) return {};
    // The restore has written it: other disks, by other names.
    await this.#hands.look(call, before);
    const machine = this.#hands.view.machines.get(machineId) ?? before;
    if (machine.seen.metadata.annotations[diskKey] !== undefined) {
      try {
        await growDisk(this.#hands, call, machine, machine.rootBytes);
      } catch (error) {
        // Its storage does not let it grow any more: it runs with the disk that there is, and that is said.
        if (!isRefusal(error)) throw error;
        this.#onFailed(error);
      }
    }
    const domain = size === undefined ? {} : resizedDomain(this.#hands, machine, size);
    const affinity = await affinityTo(this.#hands, call, machine, machine.hostId);
    const body = { ...(affinity === undefined ? {} : { affinity }), domain };
    return { template: { spec: body } };
  }

  /** Whether nothing is left to do. */
  async #close(
    call: ReadCall,
    machineId: string,
    of: {
      readonly record: OperationRecord;
      readonly outcome: "done" | { readonly why: string };
      readonly power: RevertState["power"];
      readonly sold: Readonly<Record<string, unknown>>;
    },
  ): Promise<boolean> {
    const { record, outcome, power } = of;
    const machine = this.#hands.view.machines.get(machineId);
    if (machine === undefined) return true;
    const { restore } = revertState(record);
    const why = outcome === "done" ? {} : { why: outcome.why.slice(0, saidCharactersMax) };
    const isOn =
      power === "start" ? ({ power: outcome === "done" ? "on" : "failed" } as const) : {};
    const next: RevertState = { restore, ...isOn, ...why };
    const isOff = machine.seen.spec.runStrategy === "Halted";
    const starts = power === "start" && isOff && !isToBeOff(machine, record);
    const metadata = {
      resourceVersion: machine.seen.metadata.resourceVersion,
      annotations: {
        ...withRecord(machine.records, { ...record, of: revertRecord(next) }),
        ...(starts ? runSoFar(this.#hands, machine) : {}),
      },
    };
    const spec = { ...of.sold, ...(starts ? { runStrategy: "RerunOnFailure" } : {}) };
    try {
      await this.#hands.patchMachine(call, machine, { metadata, spec });
    } catch (error) {
      if (isConflict(error)) await this.#hands.look(call, machine);
      throw error;
    }
    return true;
  }

  /** Made here, so that it is also made if whoever asked for it was gone before. */
  async #outcome(
    call: ReadCall,
    of: {
      readonly machine: KeptMachine;
      readonly record: OperationRecord;
      readonly restore: string;
    },
  ): Promise<"running" | "done" | { readonly why: string }> {
    const { client } = this.#hands;
    const name = { namespace: of.machine.namespace, name: of.restore };
    const object = await client.get(call, kinds.restore, name);
    if (object === undefined) return this.#make(call, of);
    const progress = restoreProgress(read.restore(object));
    if (progress.state !== "failed") return progress.state;
    // It would hold the machine back, and could still happen to it.
    await client.delete(call, kinds.restore, name);
    return { why: progress.reason.message };
  }

  async #make(
    call: ReadCall,
    { machine, record }: { readonly machine: KeptMachine; readonly record: OperationRecord },
  ): Promise<"running" | { readonly why: string }> {
    const { machineId, namespace, owner } = machine;
    const [, snapshotId = ""] = record.kind.split(" ");
    if (owner === undefined) return { why: "nobody knows whose the machine is" };
    const { facts } = await this.#hands.site();
    const ask = { id: snapshotId, machineId, namespace, owner, site: facts };
    try {
      const object = machineRestore({ ...ask, operationId: record.id });
      await this.#hands.client.create(call, kinds.restore, object);
    } catch (error) {
      if (isConflict(error)) return "running";
      const { code, message } = providerError(error);
      if (code !== "refused" && code !== "not_found") throw error;
      return { why: message };
    }
    return "running";
  }
}

/** The revert of a machine that is to be on again after it, or to have its size again. */
function waiting({ records, seen }: KeptMachine): OperationRecord | undefined {
  if (seen.metadata.deletionTimestamp !== undefined) return undefined;
  return records.find((each) => {
    if (!each.kind.startsWith("revert ") || each.state !== "done") return false;
    const { power, size } = revertState(each);
    return power === "start" || size !== undefined;
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProviderError && error.code === "refused";
}

/** Somebody asked for it to be off since. */
function isToBeOff({ records }: KeptMachine, revert: OperationRecord): boolean {
  const since = records.slice(records.indexOf(revert) + 1);
  return since.some(({ kind }) => kind === "stop" || kind === "shutdown");
}

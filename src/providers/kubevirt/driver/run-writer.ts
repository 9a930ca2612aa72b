/**
 * Writes down how machines' runs begin and end (run-record.ts), when what is seen differs from what is
 * written: once for a beginning, once for an end, never in a pass. Two processes that see the same write
 * the same; a write that fails is tried again with the next look.
 */
import { isDeepStrictEqual } from "node:util";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { ClusterView } from "./cluster-view.ts";
import { isConflict } from "./errors.ts";
import type { KeptMachine } from "./kept.ts";
import { runAnnotation, type RunRecord } from "./run-record.ts";

const atOnceMax = 8;
const triesMax = 6;
/** A write that was refused or lost is looked at again so soon. */
const againMsDefault = 5_000;

interface Next {
  readonly machine: KeptMachine;
  readonly run: RunRecord;
}

export class RunWriter {
  readonly #client: KubeClient;
  readonly #view: ClusterView;
  readonly #mayWrite: () => boolean;
  readonly #againMs: number;
  readonly #failed = new Set<string>();

  constructor(
    client: KubeClient,
    view: ClusterView,
    {
      mayWrite,
      againMs = againMsDefault,
    }: {
      /** False as long as the machines could be another installation's (upkeep/claim.ts). */
      readonly mayWrite: () => boolean;
      readonly againMs?: number;
    },
  ) {
    this.#client = client;
    this.#view = view;
    this.#mayWrite = mayWrite;
    this.#againMs = againMs;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const writing = new Set<Promise<void>>();
    const busy = new Set<string>();
    const begin = (machineId: string): void => {
      if (busy.has(machineId)) {
        this.#failed.add(machineId);
        return;
      }
      busy.add(machineId);
      const write = this.#write(machineId, signal).finally(() => {
        writing.delete(write);
        busy.delete(machineId);
      });
      writing.add(write);
    };
    const look = async (machineId: string): Promise<void> => {
      if (this.#next(machineId) !== undefined) begin(machineId);
      if (writing.size >= atOnceMax) await Promise.race(writing);
    };
    let lookingAgain: Promise<void> | undefined;
    const lookAgain = async (): Promise<void> => {
      // A copy: one that is busy is put back, and would be met again for ever.
      const failed = [...this.#failed];
      this.#failed.clear();
      // oxlint-disable-next-line no-await-in-loop -- so many at once
      for (const machineId of failed) await look(machineId);
    };
    const again = setInterval(() => {
      // Not within it: where nothing failed it is over before it is noted here.
      lookingAgain ??= lookAgain().finally(() => {
        lookingAgain = undefined;
      });
    }, this.#againMs);
    // What ended while nobody watched is told by no change.
    const first = this.#view.whole(signal).then(
      async () => {
        // oxlint-disable-next-line no-await-in-loop -- so many at once
        for (const { machineId } of this.#view.machines.values()) await look(machineId);
      },
      () => undefined,
    );
    try {
      for await (const machineId of this.#view.changes(signal)) await look(machineId);
    } finally {
      clearInterval(again);
      await first;
      await lookingAgain;
      await Promise.all(writing);
    }
  }

  /**
   * A run that is not there has ended, but only where all runs are seen, and up to now: when the
   * program starts, machines are seen before their runs are.
   */
  #seesRuns(): boolean {
    const { instances } = this.#view;
    return instances.isWhole && instances.lostSince === undefined;
  }

  /** What is to be written; `undefined` where it stands there already. */
  #next(machineId: string): Next | undefined {
    const machine = this.#view.machines.get(machineId);
    if (machine === undefined) return undefined;
    const instance = this.#view.instances.get(machineId)?.seen;
    if (instance === undefined && !this.#seesRuns()) {
      if (this.#view.instances.isWhole) this.#failed.add(machineId);
      return undefined;
    }
    const run = this.#view.runOf(machine);
    if (run === undefined || isDeepStrictEqual(run, machine.run)) return undefined;
    return { machine, run };
  }

  /**
   * As `#next`; an end that follows from absence only after a look past the watch, because two watches
   * are never at the same moment: another process may have written of a run that is not seen here yet.
   */
  async #certain(machineId: string, signal: AbortSignal): Promise<Next | undefined> {
    const next = this.#next(machineId);
    if (next?.run.end === undefined || this.#view.instances.get(machineId) !== undefined)
      return next;
    const { namespace, name } = next.machine;
    try {
      const there = await this.#client.get({ signal }, kinds.machineInstance, { namespace, name });
      if (there !== undefined && there.metadata.uid !== next.run.uid) {
        // Another one by now: the watch tells of it, and of what was between the two.
        this.#failed.add(machineId);
        return undefined;
      }
      if (there !== undefined) this.#view.instances.put(there);
    } catch {
      this.#failed.add(machineId);
      return undefined;
    }
    return this.#next(machineId);
  }

  /** Against the version that the decision was made of: how a run ended depends on what was asked. */
  async #write(machineId: string, signal: AbortSignal): Promise<void> {
    for (let tries = 1; tries <= triesMax && this.#mayWrite(); tries += 1) {
      // oxlint-disable-next-line no-await-in-loop -- once, and again where somebody else wrote
      const next = await this.#certain(machineId, signal);
      if (next === undefined) return;
      const { namespace, name, seen } = next.machine;
      const { resourceVersion } = seen.metadata;
      const patch = { metadata: { resourceVersion, annotations: runAnnotation(next.run) } };
      const change = { name: { namespace, name }, patch };
      try {
        // oxlint-disable-next-line no-await-in-loop -- again only where somebody else wrote
        const written = await this.#client.patch({ signal }, kinds.machine, change);
        if (written !== undefined) this.#view.machines.put(written.object);
        return;
      } catch (error) {
        if (!isConflict(error)) break;
        // oxlint-disable-next-line no-await-in-loop -- as above
        await this.#look(next.machine, signal);
      }
    }
    this.#failed.add(machineId);
  }

  async #look({ namespace, name }: KeptMachine, signal: AbortSignal): Promise<void> {
    try {
      const object = await this.#client.get({ signal }, kinds.machine, { namespace, name });
      if (object !== undefined) this.#view.machines.put(object);
    } catch {
      // The cluster is away: it is tried again later.
    }
  }
}

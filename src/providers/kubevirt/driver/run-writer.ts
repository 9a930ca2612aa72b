/**
 * Writes down how machines' runs begin and end (run-record.ts), when what is seen differs from what is
 * written: once for a beginning, once for an end, never in a pass. Two processes that see the same write
 * the same; a write that fails is tried again with the next look.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { ClusterView } from "./cluster-view.ts";
import { runAnnotation } from "./run-record.ts";
import { nextRun } from "./runs.ts";

const atOnceMax = 8;
/** A write that was refused or lost is looked at again so soon. */
const againMs = 5_000;

export class RunWriter {
  readonly #client: KubeClient;
  readonly #view: ClusterView;
  readonly #now: () => number;
  readonly #failed = new Set<string>();

  constructor(client: KubeClient, view: ClusterView, now: () => number) {
    this.#client = client;
    this.#view = view;
    this.#now = now;
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
    const again = setInterval(() => {
      for (const machineId of this.#failed) {
        this.#failed.delete(machineId);
        begin(machineId);
      }
    }, againMs);
    try {
      for await (const machineId of this.#view.changes(signal)) {
        if (this.#isDue(machineId)) begin(machineId);
        if (writing.size >= atOnceMax) await Promise.race(writing);
      }
    } finally {
      clearInterval(again);
      await Promise.all(writing);
    }
  }

  #isDue(machineId: string): boolean {
    const machine = this.#view.machines.get(machineId);
    if (machine === undefined) return false;
    const instance = this.#view.instances.get(machineId)?.seen;
    return nextRun(machine, instance, this.#now()) !== machine.run;
  }

  async #write(machineId: string, signal: AbortSignal): Promise<void> {
    const machine = this.#view.machines.get(machineId);
    if (machine === undefined) return;
    const next = nextRun(machine, this.#view.instances.get(machineId)?.seen, this.#now());
    if (next === undefined || next === machine.run) return;
    const { namespace, name, seen } = machine;
    const { resourceVersion } = seen.metadata;
    const patch = { metadata: { resourceVersion, annotations: runAnnotation(next) } };
    try {
      const written = await this.#client.patch({ signal }, kinds.machine, {
        name: { namespace, name },
        patch,
      });
      if (written !== undefined) this.#view.machines.put(written.object);
    } catch {
      // Changed meanwhile, or the cluster is away: the next look decides anew.
      this.#failed.add(machineId);
    }
  }
}

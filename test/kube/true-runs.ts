/**
 * What really happened on a test cluster: every run of every machine, from when its guest answered to when
 * it ended, as the cluster itself wrote it down. What somebody bills is held against it.
 */
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Document } from "./api/document.ts";
import { listAt, textAt } from "./api/json.ts";
import type { KubeServer } from "./server.ts";

export interface TrueRun {
  readonly machineId: string;
  /** Of its VirtualMachineInstance. */
  readonly uid: string;
  readonly readyAt: number;
  readonly endedAt: number;
}

interface Going {
  readonly machineId: string;
  readyAt: number | undefined;
  endedAt: number | undefined;
}

export class TrueRuns {
  readonly #runs = new Map<string, Going>();
  readonly #forget: () => void;

  constructor({ objects }: KubeServer) {
    this.#forget = objects.store.listen(({ kind, before, after }) => {
      const shown = after ?? before;
      if (kind !== kinds.machineInstance || shown === undefined) return;
      const run = this.#runOf(shown);
      run.readyAt ??= agentSince(shown);
      run.endedAt ??=
        endedAt(shown) ?? (after === undefined ? Date.parse(objects.now()) : undefined);
    });
  }

  /** Those whose guests were ever ready, in order; without an end where they go on. */
  get all(): readonly (Omit<TrueRun, "endedAt"> & Partial<TrueRun>)[] {
    return [...this.#runs].flatMap(([uid, { machineId, readyAt: from, endedAt: until }]) => {
      if (from === undefined) return [];
      const ended = until === undefined ? {} : { endedAt: Math.max(from, until) };
      return [{ machineId, uid, readyAt: from, ...ended }];
    });
  }

  /** The same; none may still go on. */
  get ended(): readonly TrueRun[] {
    return this.all.map(({ endedAt: until, ...run }) => {
      if (until === undefined) throw new Error(`machine ${run.machineId} still runs`);
      return { ...run, endedAt: until };
    });
  }

  /** How many guests were ever ready. */
  get begun(): number {
    return [...this.#runs.values()].filter((run) => run.readyAt !== undefined).length;
  }

  close(): void {
    this.#forget();
  }

  #runOf({ metadata }: Document): Going {
    const known = this.#runs.get(metadata.uid);
    if (known !== undefined) return known;
    const run: Going = {
      machineId: metadata.labels?.[labelKeys.machine] ?? "",
      readyAt: undefined,
      endedAt: undefined,
    };
    this.#runs.set(metadata.uid, run);
    return run;
  }
}

/** When the guest's agent answered, as KubeVirt tells it. */
export function agentSince(instance: Document): number | undefined {
  const agent = listAt(instance, "status", "conditions").find(
    (each) => textAt(each, "type") === "AgentConnected" && textAt(each, "status") === "True",
  );
  return agent === undefined ? undefined : Date.parse(textAt(agent, "lastProbeTime"));
}

function endedAt(instance: Document): number | undefined {
  const told = listAt(instance, "status", "phaseTransitionTimestamps").find((each) =>
    ["Succeeded", "Failed"].includes(textAt(each, "phase")),
  );
  return told === undefined ? undefined : Date.parse(textAt(told, "phaseTransitionTimestamp"));
}

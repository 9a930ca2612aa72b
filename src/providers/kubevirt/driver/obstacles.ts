/**
 * What machines hang on that neither they nor their runs tell: their pods and their disks. Nobody follows
 * those, for there are thousands that are well; they are asked for where a machine hangs. What must stay
 * true: a look at a machine asks nobody; what hangs is asked about in the background, a few at a time and
 * none too often, however many hang.
 */
import { setTimeout as wait } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { guestPodLabels, labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { SeenTogether } from "#providers/kubevirt/observe/condition.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";

import type { KeptMachine } from "./kept.ts";

export type Parts = Pick<SeenTogether, "pods" | "dataVolumes">;

export interface ObstacleLimits {
  /** A start takes that long; what takes longer hangs. */
  readonly hangsAfterMs: number;
  readonly againAfterMs: number;
  /** Between one round and the next; two lists are asked for each machine of a round. */
  readonly restMs: number;
  readonly perRound: number;
  /** What nobody has looked at for so long is forgotten. */
  readonly forgottenAfterMs: number;
  readonly machinesMax: number;
  readonly callMs: number;
}

export const obstacleLimits: ObstacleLimits = {
  hangsAfterMs: 5_000,
  againAfterMs: 10_000,
  restMs: 500,
  perRound: 4,
  forgottenAfterMs: 60_000,
  machinesMax: 10_000,
  callMs: 10_000,
};

interface Hanging {
  readonly machine: Pick<KeptMachine, "machineId" | "namespace">;
  readonly since: number;
  lookedAt: number;
  askedAt: number | undefined;
  parts: Parts | undefined;
}

export interface ObstacleOptions {
  readonly client: KubeClient;
  readonly now: () => number;
  /** Told of a machine of which something else is known than before. */
  readonly onChange: (machineId: string) => void;
  readonly limits?: ObstacleLimits;
}

export class Obstacles {
  readonly #options: ObstacleOptions;
  readonly #limits: ObstacleLimits;
  readonly #hanging = new Map<string, Hanging>();
  #wake: () => void = () => undefined;

  constructor(options: ObstacleOptions) {
    this.#options = options;
    this.#limits = options.limits ?? obstacleLimits;
  }

  /** What was found of it; it is asked about before long, as long as somebody looks. */
  of(machine: KeptMachine): Parts | undefined {
    const now = this.#options.now();
    const { machineId, namespace } = machine;
    const known = this.#hanging.get(machineId);
    if (known !== undefined) {
      known.lookedAt = now;
      return known.parts;
    }
    if (this.#hanging.size >= this.#limits.machinesMax) return undefined;
    const fresh = { since: now, lookedAt: now, askedAt: undefined, parts: undefined };
    this.#hanging.set(machineId, { machine: { machineId, namespace }, ...fresh });
    this.#wake();
    return undefined;
  }

  /** It does not hang, or not any more. */
  forget(machineId: string): void {
    this.#hanging.delete(machineId);
  }

  /** Runs until the signal aborts. Never throws: who cannot be asked is asked again. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake();
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted) {
      const due = this.#due();
      // oxlint-disable-next-line no-await-in-loop -- rounds, one after the other
      await Promise.all(due.map((each) => this.#ask(each, signal)));
      // oxlint-disable-next-line no-await-in-loop -- the rest between them
      if (!signal.aborted) await this.#rest(signal);
    }
    signal.removeEventListener("abort", wake);
  }

  /** Those that were not asked about for longest. */
  #due(): readonly Hanging[] {
    const { hangsAfterMs, againAfterMs, forgottenAfterMs, perRound } = this.#limits;
    const now = this.#options.now();
    for (const [id, { lookedAt }] of this.#hanging) {
      if (now - lookedAt > forgottenAfterMs) this.#hanging.delete(id);
    }
    return [...this.#hanging.values()]
      .filter(({ since, askedAt }) =>
        askedAt === undefined ? now - since >= hangsAfterMs : now - askedAt >= againAfterMs,
      )
      .toSorted((a, b) => (a.askedAt ?? 0) - (b.askedAt ?? 0))
      .slice(0, perRound);
  }

  async #ask(hanging: Hanging, signal: AbortSignal): Promise<void> {
    const { client, now, onChange } = this.#options;
    const { machineId, namespace } = hanging.machine;
    const call = { signal: AbortSignal.any([signal, AbortSignal.timeout(this.#limits.callMs)]) };
    const selection = { namespace, labels: `${labelKeys.machine}=${machineId}` };
    const guest = Object.entries(guestPodLabels(machineId)).map((label) => label.join("="));
    hanging.askedAt = now();
    try {
      const [pods, disks] = await Promise.all([
        client.list(call, kinds.pod, { namespace, labels: guest.join(",") }),
        client.list(call, kinds.dataVolume, selection),
      ]);
      const parts = {
        pods: pods.items.map((each) => read.pod(each)),
        dataVolumes: disks.items.map((each) => read.dataVolume(each)),
      };
      const isNew = JSON.stringify(parts) !== JSON.stringify(hanging.parts);
      hanging.parts = parts;
      if (isNew && this.#hanging.get(machineId) === hanging) onChange(machineId);
    } catch {
      // What was found before stays; that a cluster does not answer is told by its watches.
    }
  }

  /** As long as nothing hangs, until something does. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#hanging.size > 0) {
      await wait(this.#limits.restMs, undefined, { signal }).catch(() => undefined);
      return;
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * The cluster as the driver sees it at any moment: machines, their runs, nodes and services, each kept by
 * one watch. What must stay true: who asks while a watch is down is told that what he gets is old, or is
 * refused; nothing is concluded from absence then.
 */
import { isDeepStrictEqual } from "node:util";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { machineCondition, type MachineCondition } from "#providers/kubevirt/observe/condition.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import {
  ProviderError,
  type Endpoint,
  type Machine,
  type SiteFinding,
} from "#providers/provider.ts";

import { endpointsOf, keptService, machineIdOfService, type KeptService } from "./endpoints.ts";
import { isLasting, providerError } from "./errors.ts";
import { seenNode, type SeenNode } from "./inventory.ts";
import {
  isInPlace,
  keptInstance,
  keptMachine,
  machineIdIn,
  type KeptInstance,
  type KeptMachine,
} from "./kept.ts";
import { Listeners } from "./listeners.ts";
import { Mirror } from "./mirror.ts";
import { type Other, Others } from "./others.ts";
import { Relabeler } from "./relabel.ts";
import { Obstacles } from "./obstacles.ts";
import type { ClusterSettings } from "./settings.ts";
import type { RunRecord } from "./run-record.ts";
import { afterThat, nextRun } from "./runs.ts";
import { viewMachine } from "./view.ts";
import { unwitnessed, Witness } from "./witness.ts";

/** A watch that is cut is taken up again within this, as a rule. */
const awayMs = 5_000;
const namedMax = 10;

interface Begun {
  readonly run: RunRecord;
  /** The run that it came after, as far as that was known. */
  readonly after: string | undefined;
}

export interface ClusterViewOptions {
  readonly client: KubeClient;
  readonly settings: ClusterSettings;
  readonly now: () => number;
  /** Told when a watch is lost; it is tried again by itself. */
  readonly onLost: (kind: string, error: unknown) => void;
  /** Told of an object that somebody edited so that it cannot be read. */
  readonly onUnreadable?: (name: string, error: unknown) => void;
  /** Told of labels that were put back; without it none is. */
  readonly onRelabeled?: (name: string) => void;
}

export class ClusterView {
  readonly machines: Mirror<KeptMachine>;
  readonly instances: Mirror<KeptInstance>;
  readonly #services: Mirror<KeptService>;
  readonly #nodes: Mirror<SeenNode | undefined>;
  readonly #options: ClusterViewOptions;
  readonly #obstacles: Obstacles;
  readonly #changed = new Listeners();
  readonly #others = { machines: new Others(), instances: new Others() };
  readonly #relabeler: Relabeler;
  #signal: AbortSignal | undefined;
  /** Of those who wait until all has been seen once. */
  readonly #waiting = new Set<() => void>();
  /** Runs that were seen to begin and are not written down yet, or only in part. */
  readonly #begun = new Map<string, Begun>();
  readonly #witness = new Witness();
  #seenBefore: number | undefined;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
    const { client, settings, now } = options;
    const onLost = (what: string, error: unknown): void => {
      options.onLost(what, error);
      this.#lookAgain();
    };
    const ours = { labels: ourSelector(settings.controlPlane) };
    const onChange = (key: string): void => {
      this.#remember(key);
      this.#changed.tell(key);
    };
    const { onUnreadable, onRelabeled } = options;
    this.#relabeler = new Relabeler(client, ({ metadata: { namespace = "", name } }) =>
      onRelabeled?.(`${namespace}/${name}`),
    );
    this.#obstacles = new Obstacles({
      client,
      now,
      onChange: (machineId) => this.#changed.tell(machineId),
    });
    const common = {
      client,
      selection: ours,
      keyOf: machineIdIn,
      isInPlace,
      onChange,
      now,
      ...(onUnreadable === undefined ? {} : { onUnreadable }),
    };
    this.machines = new Mirror({
      ...common,
      kind: kinds.machine,
      distill: keptMachine,
      others: this.#others.machines,
      ...(onRelabeled === undefined
        ? {}
        : {
            onUnlabeled: (key: string, object: KubeObject) =>
              this.#relabel(this.machines, key, object),
          }),
      onLost: (error) => onLost("machines", error),
    });
    this.instances = new Mirror({
      ...common,
      kind: kinds.machineInstance,
      distill: keptInstance,
      others: this.#others.instances,
      onChange: (key, how) => {
        this.#witness.note(key, {
          instance: this.instances.get(key)?.seen,
          knownUntil: this.instances.knownUntil,
          toldAt: how === "deleted" ? now() : undefined,
        });
        onChange(key);
      },
      ...(onRelabeled === undefined
        ? {}
        : {
            onUnlabeled: (key: string, object: KubeObject) =>
              this.#relabel(this.instances, key, object),
          }),
      onLost: (error) => onLost("runs", error),
    });
    this.#services = new Mirror({
      ...common,
      kind: kinds.service,
      keyOf: machineIdOfService,
      distill: keptService,
      onLost: (error) => onLost("services", error),
    });
    this.#nodes = new Mirror({
      client,
      now,
      kind: kinds.node,
      selection: {},
      keyOf: ({ metadata }) => metadata.name,
      distill: (object) => seenNode(object, settings),
      ...(onUnreadable === undefined ? {} : { onUnreadable }),
      onChange: () => undefined,
      onLost: (error) => onLost("nodes", error),
    });
    for (const mirror of this.#mirrors()) void mirror.whole().then(() => this.#lookAgain());
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    await Promise.all([
      ...this.#mirrors().map((mirror) => mirror.follow(signal)),
      this.#obstacles.run(signal),
    ]);
  }

  /** Resolves once everything was seen; ProviderError `unavailable` when the signal aborts before. */
  async whole(signal: AbortSignal): Promise<void> {
    if (this.#unseen().length === 0) return;
    if (signal.aborted || this.#isStuck()) throw this.#notSeen();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(look);
        signal.removeEventListener("abort", giveUp);
      };
      const giveUp = (): void => {
        leave();
        reject(this.#notSeen());
      };
      const look = (): void => {
        if (this.#isStuck()) giveUp();
        if (this.#unseen().length > 0) return;
        leave();
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** It is not to be seen, and that will not pass by itself. */
  #isStuck(): boolean {
    return this.#unseen().some(({ lastError }) => isLasting(lastError));
  }

  #lookAgain(): void {
    for (const look of this.#waiting) look();
  }

  /** Throws ProviderError once a watch has been down for longer than a moment. */
  demandPresence(): void {
    const lost = this.#mirrors().find(({ lostMs }) => lostMs > awayMs);
    if (lost === undefined) return;
    const { lastError } = lost;
    const message =
      lastError === undefined ? "Its watch says nothing." : providerError(lastError).message;
    const since = new Date(lost.lostSince ?? this.#options.now()).toISOString();
    throw new ProviderError(
      "unavailable",
      `Nothing is known of the cluster since ${since}. ${message} It is tried again by itself.`,
      { effect: "none", cause: lost.lastError },
    );
  }

  /** What is there and cannot be read: a listing lacks it, or has it as it was before. */
  get unreadable(): readonly string[] {
    return this.#mirrors().flatMap(({ kind, unreadable }) =>
      [...unreadable].map((key) => `${kind.plural}/${key}`),
    );
  }

  findings(): readonly SiteFinding[] {
    const names = this.unreadable;
    if (names.length === 0) return [];
    const some = names.slice(0, namedMax).join(", ");
    return [
      {
        severity: "problem",
        message: `${names.length} objects of the cluster were edited so that they cannot be read: ${some}. Until then no machine is taken for lost there.`,
        advice: "Put right what was edited (kubectl get --output yaml shows it).",
      },
    ];
  }

  /** Machines and runs that bear our labels and have a name that we give none (strangers.ts). */
  others(): readonly Other[] {
    const { machines, instances } = this.#others;
    return [...machines.values(), ...instances.values()];
  }

  /** Since when anything of this grows old. */
  get lostSince(): number | undefined {
    const since = this.#mirrors().flatMap(({ lostSince }) => lostSince ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Up to when the cluster is known to be like this. */
  get seenAt(): number {
    return this.lostSince ?? this.#options.now();
  }

  /** Up to when the machines that are shown, and their runs, were certainly there; epoch milliseconds. */
  get knownUntil(): number | undefined {
    const { machines, instances } = this;
    if (machines.knownUntil === undefined || instances.knownUntil === undefined) return undefined;
    return Math.min(machines.knownUntil, instances.knownUntil);
  }

  /** The record of its run as it should be now, written down or not. */
  runOf(machine: KeptMachine): RunRecord | undefined {
    const { machineId, seen, records } = machine;
    const run = this.#begunOf(machine) ?? machine.run;
    const instance = this.instances.get(machineId)?.seen;
    const witnessed = run === undefined ? unwitnessed : this.#witness.of(machineId, run.uid);
    const aliveAt = witnessed.aliveAt ?? this.#seenBefore;
    const known = aliveAt === undefined ? witnessed : { ...witnessed, aliveAt };
    return nextRun({ seen, run, records }, instance, known);
  }

  /** Up to when the processes before this one saw all runs (runs-seen.ts). */
  learnSeenBefore(at: number | undefined): void {
    this.#seenBefore = at;
    // What was concluded without it is concluded anew.
    this.#begun.clear();
    for (const { machineId } of this.machines.values()) this.#remember(machineId);
  }

  /** Up to when every run is known to have gone on that is not written to have ended. */
  allRunsSeenAt(): number | undefined {
    if (!this.machines.isWhole || !this.instances.isWhole || this.lostSince !== undefined) {
      return undefined;
    }
    for (const machine of this.machines.values()) {
      const run = this.runOf(machine);
      if (!isDeepStrictEqual(run, machine.run)) return undefined;
      const isOver = run === undefined || run.end !== undefined;
      const instance = this.instances.get(machine.machineId);
      if (!isOver && instance?.seen.metadata.uid !== run.uid) return undefined;
    }
    return this.instances.knownUntil;
  }

  view(machine: KeptMachine): Machine {
    const instance = this.instances.get(machine.machineId);
    return viewMachine({
      machine,
      instance,
      run: this.runOf(machine),
      seenAt: this.seenAt,
      endpoints: this.#endpoints(machine.machineId, instance),
      condition: this.#condition(machine, instance),
    });
  }

  /** What neither the machine nor its run says is asked about where it hangs, and known later. */
  #condition(machine: KeptMachine, instance: KeptInstance | undefined): MachineCondition {
    const seen = { machine: machine.seen, instance: instance?.seen, pods: [], dataVolumes: [] };
    const { seenAt } = this;
    const bare = machineCondition(seen, seenAt);
    const hangs = bare.state === "preparing" || bare.state === "starting";
    if (!hangs) this.#obstacles.forget(machine.machineId);
    const parts = hangs ? this.#obstacles.of(machine) : undefined;
    return parts === undefined ? bare : machineCondition({ ...seen, ...parts }, seenAt);
  }

  *nodes(): IterableIterator<SeenNode> {
    for (const node of this.#nodes.values()) if (node !== undefined) yield node;
  }

  /** What was written besides the watch. */
  putService(object: KubeObject): void {
    this.#services.put(object);
  }

  node(name: string): SeenNode | undefined {
    return this.#nodes.get(name);
  }

  /** Of a machine that is kept elsewhere: a member of a job. */
  tell(machineId: string): void {
    this.#changed.tell(machineId);
  }

  changes(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    return this.#changed.listen(signal);
  }

  /** A run may end before its beginning is written. */
  #remember(machineId: string): void {
    const machine = this.machines.get(machineId);
    if (machine === undefined) {
      this.#begun.delete(machineId);
      this.#obstacles.forget(machineId);
      if (this.instances.get(machineId) === undefined) this.#witness.forget(machineId);
      return;
    }
    const after = (this.#begunOf(machine) ?? machine.run)?.uid;
    const next = this.runOf(machine);
    if (next === undefined || next === machine.run) return;
    const { end: _, ...run } = next;
    // How it ended is never kept from here: that depends on what was asked, which is seen apart.
    const isOther = run.uid !== after;
    this.#begun.set(machineId, {
      run,
      after: isOther ? after : this.#begun.get(machineId)?.after,
    });
  }

  /** What was begun and is not written down yet, or only in part. */
  #begunOf({ machineId, run: written }: KeptMachine): RunRecord | undefined {
    const begun = this.#begun.get(machineId);
    if (begun === undefined || written === undefined) return begun?.run;
    const { run, after } = begun;
    const { end, readyAt } = written;
    const isWhole = end !== undefined || readyAt !== undefined || run.readyAt === undefined;
    if (written.uid === run.uid && isWhole) {
      this.#begun.delete(machineId);
      return undefined;
    }
    // How the run before it ended is written by now: that is what counts.
    return written.uid === after && end !== undefined ? afterThat(run, written) : run;
  }

  #endpoints(machineId: string, instance: KeptInstance | undefined): readonly Endpoint[] {
    const service = this.#services.get(machineId);
    if (service === undefined) return [];
    const node = instance?.seen.status?.nodeName;
    const address = node === undefined ? undefined : this.node(node)?.address;
    return endpointsOf(service, this.#options.settings.sshHost ?? address);
  }

  #mirrors(): readonly Mirror<unknown>[] {
    return [this.machines, this.instances, this.#services, this.#nodes];
  }

  #relabel<T>(mirror: Mirror<T>, key: string, object: KubeObject): void {
    if (this.#signal === undefined) return;
    const isGone = (): void => mirror.forget(key);
    void this.#relabeler.mend({ kind: mirror.kind, object, isGone }, this.#signal);
  }

  #unseen(): readonly Mirror<unknown>[] {
    return this.#mirrors().filter(({ isWhole }) => !isWhole);
  }

  #notSeen(): ProviderError {
    const unseen = this.#unseen();
    const mirror = unseen.find(({ lastError }) => lastError !== undefined) ?? unseen[0];
    const error = mirror?.lastError;
    const what = mirror === undefined ? "The cluster" : `The cluster's ${mirror.kind.plural}`;
    const why = error === undefined ? "" : `: ${providerError(error).message}`;
    return new ProviderError("unavailable", `${what} could not be looked at yet${why}`, {
      effect: "none",
      ...(error === undefined ? {} : { cause: error }),
    });
  }
}

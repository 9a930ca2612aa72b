/**
 * What every driver needs and none should write: deadlines, a limit on concurrent calls, metrics,
 * and errors of one kind. Wraps any Provider and is one itself.
 *
 * A deadline decides nothing: when a mutation runs out of time its effect is `maybe`, and the
 * caller looks. Only what never reached the driver has effect `none` for sure.
 */
import type { Duplex, Readable } from "node:stream";

import { Gate } from "./gate.ts";
import { Leash } from "./leash.ts";
import {
  ProviderError,
  type Call,
  type Interruption,
  type MachineSpec,
  type OperationRef,
  type PowerAction,
  type Provider,
  type ProviderErrorCode,
  type ReadCall,
  type Resize,
} from "./provider.ts";

export interface CallReport {
  readonly site: string;
  readonly call: string;
  readonly ms: number;
  readonly outcome: "ok" | ProviderErrorCode;
  readonly effect: "none" | "maybe" | "done" | undefined;
}

export interface DecorateOptions {
  readonly readTimeoutMs: number;
  readonly mutationTimeoutMs: number;
  /** After a deadline the driver gets this long to say what it did, before we say `maybe`. */
  readonly answerMs: number;
  readonly concurrentCallsMax: number;
  /** Calls that may wait for a place; the next one is `throttled`. */
  readonly waitingCallsMax: number;
  /** Told about each call when it is over; must not throw. */
  readonly report: (report: CallReport) => void;
}

export const decorateDefaults: DecorateOptions = {
  readTimeoutMs: 10_000,
  mutationTimeoutMs: 60_000,
  answerMs: 250,
  concurrentCallsMax: 16,
  waitingCallsMax: 1_000,
  report: () => undefined,
};

export function decorate(inner: Provider, options: Partial<DecorateOptions> = {}): Provider {
  return new DecoratedProvider(inner, { ...decorateDefaults, ...options });
}

class DecoratedProvider implements Provider {
  readonly site: string;
  readonly #inner: Provider;
  readonly #options: DecorateOptions;
  readonly #gate: Gate;
  readonly removeProject?: NonNullable<Provider["removeProject"]>;
  readonly tellTiers?: NonNullable<Provider["tellTiers"]>;
  readonly tellProjects?: NonNullable<Provider["tellProjects"]>;

  constructor(inner: Provider, options: DecorateOptions) {
    this.site = inner.site;
    if (inner.removeProject !== undefined) {
      const remove = inner.removeProject.bind(inner);
      // It may have done something when it runs out of time; asked again it goes on from there.
      this.removeProject = (call, project) =>
        this.#run("removeProject", new Leash(call.signal), this.#mutationLimits, (signal) =>
          remove({ signal }, project),
        );
    }
    if (inner.tellTiers !== undefined) {
      const tell = inner.tellTiers.bind(inner);
      this.tellTiers = (call, tiers) =>
        this.#read("tellTiers", call, (leashed) => tell(leashed, tiers));
    }
    if (inner.tellProjects !== undefined) {
      const tell = inner.tellProjects.bind(inner);
      this.tellProjects = (call, projects) =>
        this.#read("tellProjects", call, (leashed) => tell(leashed, projects));
    }
    this.#inner = inner;
    this.#options = options;
    this.#gate = new Gate(options.concurrentCallsMax, options.waitingCallsMax);
  }

  info(call: ReadCall) {
    return this.#read("info", call, (inner) => this.#inner.info(inner));
  }

  hosts(call: ReadCall) {
    return this.#read("hosts", call, (inner) => this.#inner.hosts(inner));
  }

  machines(call: ReadCall) {
    return this.#read("machines", call, (inner) => this.#inner.machines(inner));
  }

  machine(call: ReadCall, machineId: string) {
    return this.#read("machine", call, (inner) => this.#inner.machine(inner, machineId));
  }

  create(call: Call, spec: MachineSpec) {
    return this.#mutate("create", call, (inner) => this.#inner.create(inner, spec));
  }

  power(call: Call, machineId: string, action: PowerAction) {
    return this.#mutate("power", call, (inner) => this.#inner.power(inner, machineId, action));
  }

  interrupt(call: Call, machineId: string, how: Interruption) {
    return this.#mutate("interrupt", call, (inner) => this.#inner.interrupt(inner, machineId, how));
  }

  resize(call: Call, machineId: string, to: Resize) {
    return this.#mutate("resize", call, (inner) => this.#inner.resize(inner, machineId, to));
  }

  move(call: Call, machineId: string, hostId?: string) {
    return this.#mutate("move", call, (inner) => this.#inner.move(inner, machineId, hostId));
  }

  delete(call: Call, machineId: string, keep?: string) {
    return this.#mutate("delete", call, (inner) => this.#inner.delete(inner, machineId, keep));
  }

  snapshot(call: Call, machineId: string, snapshot: Parameters<Provider["snapshot"]>[2]) {
    return this.#mutate("snapshot", call, (inner) =>
      this.#inner.snapshot(inner, machineId, snapshot),
    );
  }

  revert(call: Call, machineId: string, snapshotId: string) {
    return this.#mutate("revert", call, (inner) =>
      this.#inner.revert(inner, machineId, snapshotId),
    );
  }

  deleteSnapshot(call: Call, machineId: string, snapshotId: string) {
    return this.#mutate("deleteSnapshot", call, (inner) =>
      this.#inner.deleteSnapshot(inner, machineId, snapshotId),
    );
  }

  dropKept(call: Call, machineId: string, snapshotId: string) {
    return this.#mutate("dropKept", call, (inner) =>
      this.#inner.dropKept(inner, machineId, snapshotId),
    );
  }

  snapshots(call: ReadCall, machineId: string) {
    return this.#read("snapshots", call, (inner) => this.#inner.snapshots(inner, machineId));
  }

  operation(call: ReadCall, ref: OperationRef) {
    return this.#read("operation", call, (inner) => this.#inner.operation(inner, ref));
  }

  console(call: ReadCall, machineId: string, kind: "serial" | "vnc"): Promise<Duplex> {
    return this.#open("console", call, (inner) => this.#inner.console(inner, machineId, kind));
  }

  workloadLog(call: ReadCall, machineId: string, range: Parameters<Provider["workloadLog"]>[2]) {
    return this.#read("workloadLog", call, (inner) =>
      this.#inner.workloadLog(inner, machineId, range),
    );
  }

  workloadResults(call: ReadCall, machineId: string): Promise<Readable> {
    return this.#open("workloadResults", call, (inner) =>
      this.#inner.workloadResults(inner, machineId),
    );
  }

  samples(call: ReadCall, machineIds: readonly string[]) {
    return this.#read("samples", call, (inner) => this.#inner.samples(inner, machineIds));
  }

  activity(call: ReadCall, machineIds: readonly string[]) {
    return this.#read("activity", call, (inner) => this.#inner.activity(inner, machineIds));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** No deadline and no place: listening goes on for as long as the caller likes. */
  changes(call: ReadCall): AsyncIterable<string> {
    return normalized(this.#inner.changes(call));
  }

  #read<T>(name: string, call: ReadCall, run: (call: ReadCall) => Promise<T>): Promise<T> {
    const limits = { timeoutMs: this.#options.readTimeoutMs, unanswered: "none" } as const;
    return this.#run(name, new Leash(call.signal), limits, (signal) => run({ signal }));
  }

  #mutate<T>(name: string, call: Call, run: (call: Call) => Promise<T>): Promise<T> {
    return this.#run(name, new Leash(call.signal), this.#mutationLimits, (signal) =>
      run({ ...call, signal }),
    );
  }

  get #mutationLimits(): Limits {
    return { timeoutMs: this.#options.mutationTimeoutMs, unanswered: "maybe" };
  }

  /** The deadline is for opening it; an open stream lives as long as the caller's signal. */
  async #open<T extends Readable>(
    name: string,
    call: ReadCall,
    run: (call: ReadCall) => Promise<T>,
  ): Promise<T> {
    const limits = { timeoutMs: this.#options.readTimeoutMs, unanswered: "none" } as const;
    const leash = new Leash(call.signal);
    return this.#run(name, leash, limits, async (signal) => {
      const stream = await run({ signal });
      if (signal.aborted) {
        stream.destroy();
        throw unanswered("none", signal);
      }
      leash.hold();
      stream.once("close", () => {
        leash.release();
      });
      return stream;
    });
  }

  async #run<T>(
    name: string,
    leash: Leash,
    { timeoutMs, unanswered: effect }: Limits,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    const report = (outcome: CallReport["outcome"], told: CallReport["effect"]): void => {
      const ms = performance.now() - startedAt;
      this.#options.report({ site: this.site, call: name, ms, outcome, effect: told });
    };
    leash.endAfter(timeoutMs);
    try {
      const leave = await this.#gate.enter(leash.signal);
      // Its place is free when the driver is really done, not when we stop waiting for it.
      const running = new Promise<T>((resolve) => {
        resolve(run(leash.signal));
      }).finally(leave);
      const result = await Promise.race([running, silence(leash.signal, this.#options.answerMs)]);
      if (result === silent) throw unanswered(effect, leash.signal);
      report("ok", undefined);
      return result;
    } catch (error) {
      const normal = providerError(error, effect);
      report(normal.code, normal.effect);
      throw normal;
    } finally {
      leash.end();
    }
  }
}

interface Limits {
  readonly timeoutMs: number;
  /** What is known of the effect of a call that the driver did not answer. */
  readonly unanswered: "none" | "maybe";
}

const silent = Symbol("silent");

/** Resolves some time after the signal has aborted; never, if it does not. */
function silence(signal: AbortSignal, answerMs: number): Promise<typeof silent> {
  return new Promise((resolve) => {
    const wait = (): void => {
      setTimeout(resolve, answerMs, silent);
    };
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true });
  });
}

function unanswered(effect: "none" | "maybe", signal: AbortSignal): ProviderError {
  return new ProviderError("unavailable", "the platform did not answer in time", {
    effect,
    cause: signal.reason,
  });
}

function providerError(error: unknown, effect: "none" | "maybe"): ProviderError {
  if (error instanceof ProviderError) return error;
  return new ProviderError("unknown", "the driver failed in a way that it does not know", {
    effect,
    cause: error,
  });
}

async function* normalized(changes: AsyncIterable<string>): AsyncGenerator<string> {
  try {
    yield* changes;
  } catch (error) {
    throw providerError(error, "none");
  }
}

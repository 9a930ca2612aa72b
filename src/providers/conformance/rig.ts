/**
 * What a driver's test brings to the conformance suite, and the bench on which the suite works with
 * it: one platform for the whole suite, waiting for conditions, and removing what was made.
 */
import { randomUUID } from "node:crypto";

import { assert } from "#kernel/assert.ts";
import {
  ProviderError,
  type Call,
  type Capability,
  type Machine,
  type MachineSpec,
  type OperationRef,
  type Owner,
  type Provider,
  type ProviderErrorCode,
  type ReadCall,
  type WorkloadSpec,
} from "#providers/provider.ts";

import type { Check, Outcome } from "./record.ts";

export interface Timings {
  /** Longest from `create` or a start until the guest is ready. */
  readonly readyMs: number;
  /** Longest that any other operation takes. */
  readonly operationMs: number;
  /** Of the platform's clock: what happens within one tick is told as the same instant. */
  readonly tickMs?: number;
}

/** A platform with room for three machines of `spec` at once, and a driver on it. */
export interface Rig {
  readonly provider: Provider;
  readonly owner: Owner;
  /** The smallest machine that the platform runs well, with a fresh id. */
  readonly spec: (overrides?: Partial<MachineSpec>) => MachineSpec;
  readonly timings: Timings;
  /** Ends the driver as a restart of the control plane does, and opens another. */
  readonly restart: () => Promise<Provider>;
  /** Kills the machine from outside, as `kill -9` of its process does. */
  readonly crash?: (machineId: string) => Promise<void>;
  /** Has the guest power itself off, as a user who types `poweroff` does. */
  readonly shutDownFromInside?: (machineId: string) => Promise<void>;
  /** Where a workload's results are put, relative to its work directory; `results` by default. */
  readonly resultsDirectory?: string;
  /** Removes everything, the driver included. */
  readonly close: () => Promise<void>;
}

const pollMs = 20;

export class Bench {
  readonly rig: Rig;
  readonly read: ReadCall = { signal: new AbortController().signal };
  provider: Provider;
  /** Set by a check of something that the platform says it cannot do. */
  because: string | undefined;
  /** Set by a check that passed in a way that a reader of the matrix wants to know. */
  note: string | undefined;
  readonly #made = new Set<string>();
  #resident: string | undefined;

  constructor(rig: Rig) {
    this.rig = rig;
    this.provider = rig.provider;
  }

  async run(check: Check): Promise<Outcome> {
    this.because = undefined;
    this.note = undefined;
    await check.run(this);
    if (this.because !== undefined) return { outcome: "not_possible", because: this.because };
    return this.note === undefined ? { outcome: "passed" } : { outcome: "passed", note: this.note };
  }

  call(overrides: Partial<Call> = {}): Call {
    return { ...this.read, operationId: randomUUID(), owner: this.rig.owner, ...overrides };
  }

  /** A spec of a machine that is removed at the end whatever happens. */
  spec(overrides: Partial<MachineSpec> = {}): MachineSpec {
    const spec = this.rig.spec(overrides);
    this.#made.add(spec.id);
    return spec;
  }

  /** A machine that several tests use in turn: there, running and ready. */
  async resident(): Promise<Machine> {
    if (this.#resident === undefined) {
      const spec = this.spec();
      this.#resident = spec.id;
      await this.done(await this.provider.create(this.call(), spec));
    }
    const id = this.#resident;
    const power = (await this.machine(id)).power.value;
    if (power === "stopped") {
      await this.done(await this.provider.power(this.call(), id, { to: "start" }));
    }
    return this.ready(id);
  }

  async create(overrides: Partial<MachineSpec> = {}): Promise<Machine> {
    const spec = this.spec(overrides);
    await this.done(await this.provider.create(this.call(), spec));
    return this.ready(spec.id);
  }

  async remove(id: string): Promise<void> {
    await this.gone(await this.provider.delete(this.call(), id));
    this.#made.delete(id);
    if (this.#resident === id) this.#resident = undefined;
  }

  async removeAll(): Promise<void> {
    for (const id of this.#made) await this.remove(id);
  }

  async machine(id: string): Promise<Machine> {
    const machine = await this.provider.machine(this.read, id);
    if (machine === undefined) throw new Error(`the platform has no machine ${id}`);
    return machine;
  }

  ready(id: string): Promise<Machine> {
    return this.until("the guest is ready", this.rig.timings.readyMs, async () => {
      const machine = await this.machine(id);
      assert(machine.stop === undefined, `the machine stopped: ${machine.stop?.detail}`);
      // What is done to it next shall be later by that clock too.
      const { tickMs = 0 } = this.rig.timings;
      const isOld = machine.power.at - machine.powerSince >= tickMs;
      return machine.guest.ready && isOld ? machine : undefined;
    });
  }

  stopped(id: string, ms: number = this.rig.timings.operationMs): Promise<Machine> {
    return this.until("the machine is stopped", ms, async () => {
      const machine = await this.machine(id);
      return machine.power.value === "stopped" ? machine : undefined;
    });
  }

  workloadEnded(id: string): Promise<Machine> {
    const { readyMs, operationMs } = this.rig.timings;
    return this.until("the workload has ended", readyMs + operationMs, async () => {
      const machine = await this.machine(id);
      return machine.workload?.state === "ended" ? machine : undefined;
    });
  }

  async done(ref: OperationRef): Promise<void> {
    await this.until(`operation ${ref.native} is done`, this.rig.timings.readyMs, async () => {
      const status = await this.provider.operation(this.read, ref);
      if (status.state === "failed") throw status.error;
      assert(status.state !== "unknown", `the platform has no record of ${ref.native}`);
      return status.state === "done" ? true : undefined;
    });
  }

  /** A deletion is over when the machine is not there, whether or not a record of it is. */
  async gone(ref: OperationRef): Promise<void> {
    await this.until("the machine is gone", this.rig.timings.operationMs, async () => {
      const status = await this.provider.operation(this.read, ref);
      if (status.state === "failed") throw status.error;
      const machine = await this.provider.machine(this.read, ref.machineId);
      return machine === undefined && status.state !== "running" ? true : undefined;
    });
  }

  async until<T>(what: string, ms: number, probe: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** The error that a call ends with, which must be a ProviderError that says its effect. */
  async rejection(call: Promise<unknown>): Promise<ProviderError> {
    try {
      await call;
    } catch (error) {
      assert(error instanceof ProviderError, `not a ProviderError: ${String(error)}`);
      assert(["none", "maybe", "done"].includes(error.effect), `no such effect: ${error.effect}`);
      assert(error.message !== "", "the error says nothing");
      return error;
    }
    throw new Error("the call succeeded");
  }

  async fails(call: Promise<unknown>, code: ProviderErrorCode): Promise<void> {
    const error = await this.rejection(call);
    assert(
      error.code === code && error.effect === "none",
      `${code} with effect none expected, not ${error.code} with ${error.effect}: ${error.message}`,
    );
  }

  /** True if it can; if not, `call` must be refused, and the test ends there. */
  async can(capability: Capability, call: () => Promise<unknown>): Promise<boolean> {
    if (capability.can) return true;
    assert(capability.because !== "", "a capability that is not there says why");
    await this.fails(call(), "refused");
    this.because = capability.because;
    return false;
  }

  async restart(): Promise<void> {
    this.provider = await this.rig.restart();
  }
}

/** The same job for a machine that runs it and for one that simulates it. */
export function job(
  script: string,
  simulate: Readonly<Record<string, string>>,
  overrides: Partial<WorkloadSpec> = {},
): WorkloadSpec {
  return {
    command: ["sh", "-c", script],
    environment: simulate,
    timeLimitSeconds: 60,
    logBytesMax: 1024 * 1024,
    resultsBytesMax: 1024 * 1024,
    ...overrides,
  };
}

/**
 * Random histories against the simulated platform: calls with faults, restarts of the driver,
 * crashes, hosts that go down and time that passes, from two drivers at once. Whatever happens,
 * nothing is there twice, nothing is there that nobody asked for, an effect that was told is true,
 * and no host holds more than it has.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import {
  ProviderError,
  type Call,
  type MachineSpec,
  type OperationRef,
} from "#providers/provider.ts";

import { holdsCompute } from "./capacity.ts";
import type { Mutation, NextFailure } from "./faults.ts";
import { gpuHost } from "./hosts.ts";
import { ManualClock } from "./manual-clock.ts";
import { openSimulated, type SimulatedProvider } from "./provider.ts";

const owner = { tenantId: "t", projectId: "p", resourceId: "r" };
const read = { signal: new AbortController().signal };
const host = { ...gpuHost("h1", "A100=1,T4=1"), cpus: 4, memoryBytes: 4, diskBytes: 6 };
const ids = ["m0", "m1", "m2", "m3", "m4"];
const devices = [
  [],
  [{ deviceId: "a100-0", model: "A100", slice: 1 }],
  [{ deviceId: "a100-0", model: "A100", slice: 2 }],
  [{ deviceId: "t4-0", model: "T4", slice: 3 }],
] as const;

const machine = fc.constantFrom(...ids);
const driver = fc.nat({ max: 1 });
const failure = fc.record({
  call: fc.constantFrom<Mutation>("create", "power", "delete"),
  effect: fc.constantFrom<NextFailure["effect"]>(
    "none",
    "done",
    "maybe_none",
    "maybe_done",
    "accepted",
  ),
});

const powerAction = fc.constantFrom<"start" | "stop" | "pause" | "resume" | "reboot">(
  "start",
  "stop",
  "pause",
  "resume",
  "reboot",
);

const steps = {
  create: fc.record({
    do: fc.constant("create" as const),
    driver,
    machine,
    gpus: fc.constantFrom<MachineSpec["gpus"]>(...devices),
    cores: fc.integer({ min: 1, max: 3 }),
    core: fc.boolean(),
  }),
  delete: fc.record({ do: fc.constant("delete" as const), driver, machine }),
  power: fc.record({ do: fc.constant("power" as const), driver, machine, to: powerAction }),
  resize: fc.record({
    do: fc.constant("resize" as const),
    driver,
    machine,
    cores: fc.integer({ min: 1, max: 4 }),
  }),
  repeat: fc.record({ do: fc.constant("repeat" as const), driver, back: fc.nat({ max: 5 }) }),
  fault: fc.record({ do: fc.constant("fault" as const), driver, failure }),
  restart: fc.record({ do: fc.constant("restart" as const), driver }),
  crash: fc.record({ do: fc.constant("crash" as const), machine }),
  host: fc.record({ do: fc.constant("host" as const), up: fc.boolean() }),
  forget: fc.record({ do: fc.constant("forget" as const) }),
  wait: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: -3000, max: 9000 }) }),
};

const step = fc.oneof(
  { weight: 6, arbitrary: steps.create },
  { weight: 3, arbitrary: steps.delete },
  { weight: 3, arbitrary: steps.power },
  { weight: 2, arbitrary: steps.resize },
  { weight: 2, arbitrary: steps.repeat },
  { weight: 2, arbitrary: steps.fault },
  { weight: 2, arbitrary: steps.restart },
  { weight: 1, arbitrary: steps.crash },
  { weight: 1, arbitrary: steps.host },
  { weight: 1, arbitrary: steps.forget },
  { weight: 4, arbitrary: steps.wait },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What was asked once, so that it can be asked again. */
interface Asked {
  readonly call: Call;
  readonly machineId: string;
  /** Whether the machine should be there afterwards; undefined if it stays as it was. */
  readonly there: boolean | undefined;
  readonly run: (provider: SimulatedProvider, call: Call) => Promise<OperationRef>;
}

class History {
  readonly #directory = mkdtempSync(join(tmpdir(), "simulated-"));
  readonly #clock = new ManualClock();
  readonly #drivers = [this.#open(), this.#open()];
  readonly #asked: Asked[] = [];
  /** Machines that are there as far as the calls and their effects have told. */
  readonly #there = new Set<string>();
  /** Drivers that were told to accept an operation which then fails. */
  readonly #mayFailLater = new Set<number>();
  #powerSince = new Map<string, number>();
  #operations = 0;

  #open(): SimulatedProvider {
    return openSimulated({
      site: "s",
      hosts: [host],
      directory: this.#directory,
      clock: this.#clock,
      latencies: { createMs: 500, bootMs: 1000, shutdownMs: 100 },
    });
  }

  async close(): Promise<void> {
    for (const provider of this.#drivers) await provider.close();
    rmSync(this.#directory, { recursive: true });
  }

  async take(each: Step): Promise<void> {
    switch (each.do) {
      case "create": {
        const spec = specOf(each.machine, each);
        await this.#ask(each, true, (provider, call) => provider.create(call, spec));
        return;
      }
      case "delete":
        await this.#ask(each, false, (provider, call) => provider.delete(call, each.machine));
        return;
      case "power":
        await this.#ask(each, undefined, (provider, call) =>
          provider.power(call, each.machine, { to: each.to }),
        );
        return;
      case "resize": {
        const cpu = { sockets: 1, cores: each.cores, threads: 1 };
        await this.#ask(each, undefined, (provider, call) =>
          provider.resize(call, each.machine, { cpu }),
        );
        return;
      }
      case "repeat": {
        const asked = this.#asked.at(-1 - each.back);
        if (asked !== undefined) await this.#repeat(each.driver, asked);
        return;
      }
      case "fault":
        if (each.failure.effect === "accepted") this.#mayFailLater.add(each.driver);
        this.#driver(each.driver).platform.faults.failNext(each.failure.call, {
          code: "unavailable",
          effect: each.failure.effect,
        });
        return;
      case "restart":
        await this.#driver(each.driver).close();
        this.#drivers[each.driver] = this.#open();
        this.#mayFailLater.delete(each.driver);
        return;
      case "crash":
        this.#driver(0).platform.crash(each.machine);
        return;
      case "host":
        if (each.up) this.#driver(1).platform.hostUp(host.id);
        else this.#driver(1).platform.hostDown(host.id);
        return;
      case "forget":
        this.#driver(0).platform.forgetOperations();
        return;
      case "wait":
        if (each.ms < 0) this.#clock.stepBack(-each.ms);
        else await this.#clock.advance(each.ms);
        return;
    }
  }

  async check(): Promise<void> {
    const [a, b] = [await this.#driver(0).machines(read), await this.#driver(1).machines(read)];
    const listed = a.items.map((each) => each.id);
    assert.deepEqual(b.items.map((each) => each.id).toSorted(), listed.toSorted());
    assert.deepEqual(listed.toSorted(), [...this.#there].toSorted());
    for (const { id, powerSince } of a.items) {
      assert.ok(powerSince >= (this.#powerSince.get(id) ?? 0));
    }
    this.#powerSince = new Map(a.items.map((each) => [each.id, each.powerSince]));
    this.#checkCapacity();
  }

  /** Counted here again from nothing, not with the code that decides. */
  #checkCapacity(): void {
    const there = this.#driver(0).platform.machines();
    const on = there.filter(holdsCompute);
    const cpus = on.map((each) => each.cpu.cores / (each.spec.serviceClass === "core" ? 1 : 1.5));
    assert.ok(total(cpus) <= host.cpus + 1e-9);
    assert.ok(on.length <= host.memoryBytes);
    assert.ok(there.length * 2 <= host.diskBytes);
    for (const device of host.gpus) {
      const shares = on
        .flatMap((each) => each.spec.gpus)
        .filter((gpu) => gpu.deviceId === device.id)
        .map((gpu) => 1 / gpu.slice);
      assert.ok(total(shares) <= 1 + 1e-9);
    }
  }

  async #ask(
    target: { readonly driver: number; readonly machine: string },
    there: boolean | undefined,
    run: Asked["run"],
  ): Promise<void> {
    this.#operations += 1;
    const call = { ...read, owner, operationId: `o${this.#operations}` };
    const asked: Asked = { call, machineId: target.machine, there, run };
    this.#asked.push(asked);
    const provider = this.#driver(target.driver);
    const before = this.#there.has(asked.machineId);
    const effect = await run(provider, call).then(() => "accepted" as const, effectOf);
    const after = (await provider.machine(read, asked.machineId)) !== undefined;

    if (effect === "none") assert.equal(after, before);
    else if (effect === "maybe") {
      // The way out of the doubt is to ask for the operation: it is known just if it happened.
      assert.equal(after, (await known(provider, asked)) ? (there ?? before) : before);
    } else if (!this.#mayFailLater.has(target.driver)) assert.equal(after, there ?? before);
    else assert.ok([before, there ?? before].includes(after));
    if (after) this.#there.add(asked.machineId);
    else this.#there.delete(asked.machineId);
  }

  /** Where the platform still knows the operation, asking again changes nothing at all. */
  async #repeat(driverIndex: number, asked: Asked): Promise<void> {
    const provider = this.#driver(driverIndex);
    if (!(await known(provider, asked))) return;
    const before = JSON.stringify(provider.platform.machines());
    await asked.run(provider, asked.call).catch(effectOf);
    assert.equal(JSON.stringify(provider.platform.machines()), before);
  }

  #driver(index: number): SimulatedProvider {
    return present(this.#drivers[index], "driver");
  }
}

async function known(provider: SimulatedProvider, { call, machineId }: Asked): Promise<boolean> {
  const ref = { id: call.operationId, machineId, native: "" };
  return (await provider.operation(read, ref)).state !== "unknown";
}

function effectOf(error: unknown): ProviderError["effect"] {
  if (error instanceof ProviderError) return error.effect;
  throw error;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

function specOf(
  id: string,
  from: { gpus: MachineSpec["gpus"]; cores: number; core: boolean },
): MachineSpec {
  return {
    id,
    name: id,
    hostId: host.id,
    image: "tiny",
    cpu: { sockets: 1, cores: from.cores, threads: 1 },
    memoryBytes: 1,
    diskBytes: 2,
    gpus: from.gpus,
    serviceClass: from.core ? "core" : "standard",
    network: "n",
    loginUser: "root",
    sshKeys: [],
    owner,
  };
}

const histories = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });

test("random histories create nothing twice, orphan nothing, oversell nothing", async () => {
  const property = fc.asyncProperty(histories, async (taken) => {
    const history = new History();
    try {
      for (const each of taken) {
        await history.take(each);
        await history.check();
      }
    } finally {
      await history.close();
    }
  });
  // A failure prints its seed and the shortest history that shows it.
  await expect(fc.assert(property, { numRuns: 150 })).resolves.toBeUndefined();
});

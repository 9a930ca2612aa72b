/**
 * The suite itself: each of these drivers breaks one promise, and the named check must notice. A
 * suite that nothing fails proves nothing.
 */
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";

import {
  ProviderError,
  type Call,
  type Listing,
  type Machine,
  type MachineSpec,
  type OperationRef,
  type OperationStatus,
  type Owner,
  type PowerAction,
  type ReadCall,
  type Resize,
} from "#providers/provider.ts";
import { gpuHost } from "#providers/simulated/hosts.ts";
import { SimulatedPlatform } from "#providers/simulated/platform.ts";
import { SimulatedProvider } from "#providers/simulated/provider.ts";

import { checks } from "./checks.ts";
import { Bench } from "./rig.ts";

const gib = 1024 ** 3;
const owner: Owner = { tenantId: "t", projectId: "p", resourceId: "r" };

class ListsTwice extends SimulatedProvider {
  override async machines(call: ReadCall): Promise<Listing<Machine>> {
    const listing = await super.machines(call);
    return { ...listing, items: [...listing.items, ...listing.items] };
  }
}

class NeverComplete extends SimulatedProvider {
  override async machines(call: ReadCall): Promise<Listing<Machine>> {
    return { ...(await super.machines(call)), complete: false, failedScopes: ["h"] };
  }
}

class DeletesAnybodys extends SimulatedProvider {
  override async delete(call: Call, machineId: string): Promise<OperationRef> {
    const machine = await super.machine(call, machineId);
    return super.delete({ ...call, owner: machine?.owner ?? call.owner }, machineId);
  }
}

/** Forgets which operation it was, as a driver without a journal does. */
class Forgetful extends SimulatedProvider {
  override power(call: Call, machineId: string, action: PowerAction): Promise<OperationRef> {
    return super.power({ ...call, operationId: randomUUID() }, machineId, action);
  }

  override create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    return super.create({ ...call, operationId: randomUUID() }, spec);
  }
}

class NoRecords extends SimulatedProvider {
  override async operation(): Promise<OperationStatus> {
    return Promise.resolve({ state: "unknown" });
  }
}

class PlainErrors extends SimulatedProvider {
  override async power(call: Call, id: string, action: PowerAction): Promise<OperationRef> {
    try {
      return await super.power(call, id, action);
    } catch {
      throw new Error("no such machine");
    }
  }
}

class MaybeAlways extends SimulatedProvider {
  override async delete(call: Call, machineId: string): Promise<OperationRef> {
    return super.delete(call, machineId).catch((cause: unknown) => {
      throw new ProviderError("refused", "no", { effect: "maybe", cause });
    });
  }
}

class Deaf extends SimulatedProvider {
  override create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    return super.create({ ...call, signal: new AbortController().signal }, spec);
  }
}

class SaysNothing extends SimulatedProvider {
  // eslint-disable-next-line require-yield
  override async *changes(call: ReadCall): AsyncGenerator<string> {
    await new Promise((resolve) => {
      call.signal.addEventListener("abort", resolve);
    });
  }
}

/** Changes one thing in every machine that it shows. */
abstract class Shows extends SimulatedProvider {
  abstract change(machine: Machine): Machine;

  override async machine(call: ReadCall, machineId: string): Promise<Machine | undefined> {
    const machine = await super.machine(call, machineId);
    return machine === undefined ? undefined : this.change(machine);
  }
}

class AllRequested extends Shows {
  change(machine: Machine): Machine {
    return machine.stop === undefined
      ? machine
      : { ...machine, stop: { ...machine.stop, reason: "requested" } };
  }
}

class SinceNow extends Shows {
  change(machine: Machine): Machine {
    return { ...machine, powerSince: machine.power.at };
  }
}

class AllSucceeded extends Shows {
  change(machine: Machine): Machine {
    return machine.workload?.end === undefined
      ? machine
      : { ...machine, workload: { ...machine.workload, end: { kind: "exited", exitCode: 0 } } };
  }
}

class PendingForever extends Shows {
  change(machine: Machine): Machine {
    return { ...machine, pendingResize: true };
  }
}

class Shrinks extends SimulatedProvider {
  override resize(call: Call, machineId: string, { diskBytes, ...to }: Resize) {
    return super.resize(call, machineId, diskBytes === undefined ? to : {});
  }
}

/** Says that no disk grows, and lets them grow. */
class GrowsAnyway extends SimulatedProvider {
  override async info(call: ReadCall) {
    const info = await super.info(call);
    const diskGrow = { can: false, because: "the storage lets no disk grow" } as const;
    return { ...info, capabilities: { ...info.capabilities, diskGrow } };
  }
}

class LosesLog extends SimulatedProvider {
  override async workloadLog(
    call: ReadCall,
    machineId: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer> {
    const log = await super.workloadLog(call, machineId, range);
    return range.offset === 0 ? log : log.subarray(1);
  }
}

class NoReplay extends SimulatedProvider {
  #opened = 0;

  override async console(call: ReadCall, id: string, kind: "serial" | "vnc"): Promise<Duplex> {
    const stream = await super.console(call, id, kind);
    this.#opened += 1;
    stream.unshift(Buffer.from(`console ${this.#opened}`));
    return stream;
  }
}

class SnapshotsStay extends SimulatedProvider {
  override deleteSnapshot(call: Call, machineId: string): Promise<OperationRef> {
    return super.deleteSnapshot(call, machineId, randomUUID());
  }
}

/** Makes it of an image, whether the snapshot is there or is somebody else's. */
class CopiesAnybodys extends SimulatedProvider {
  override create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    const { fromSnapshot: _, ...fresh } = spec;
    return super.create(call, fresh);
  }
}

/** Knows a snapshot only once its machine is gone. */
class CopiesOfTheDead extends SimulatedProvider {
  override async create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    if (spec.fromSnapshot !== undefined) {
      throw new ProviderError("not_found", "no such snapshot", { effect: "none" });
    }
    return super.create(call, spec);
  }
}

/** Takes the machine away for its copy. */
class RestartsForCopies extends Shows {
  #copied = false;

  override create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    this.#copied ||= spec.fromSnapshot !== undefined && spec.owner.tenantId === owner.tenantId;
    return super.create(call, spec);
  }

  change(machine: Machine): Machine {
    const { powerSince } = machine;
    return this.#copied ? { ...machine, powerSince: powerSince + 1 } : machine;
  }
}

/** Says that it moved, and left it where it was. */
class MovesNowhere extends SimulatedProvider {
  override async move(call: Call, machineId: string): Promise<OperationRef> {
    const machine = await this.machine(call, machineId);
    return super.move(call, machineId, machine?.hostId);
  }
}

/** Elsewhere, but by a start anew: the run that was ends. */
class MovesByReboot extends Shows {
  readonly #moved = new Set<string>();

  override move(call: Call, machineId: string, hostId?: string): Promise<OperationRef> {
    this.#moved.add(machineId);
    return super.move(call, machineId, hostId);
  }

  change(machine: Machine): Machine {
    const { id, powerSince } = machine;
    return this.#moved.has(id) ? { ...machine, powerSince: powerSince + 1 } : machine;
  }
}

/** Says that disks follow, and starts where the machine was. */
class StartsWhereItWas extends SimulatedProvider {
  constructor(platform: SimulatedPlatform) {
    super(platform, { capabilities: { startElsewhere: { can: true } } });
  }

  override power(call: Call, machineId: string, { to }: PowerAction): Promise<OperationRef> {
    const action = to === "shutdown" ? { to, graceSeconds: 1 } : { to };
    return super.power(call, machineId, action);
  }
}

/** Takes the wish and runs the machine anywhere. */
class PinsNothing extends Shows {
  change(machine: Machine): Machine {
    return { ...machine, pinned: {} };
  }
}

/** Says so also of a machine that is off. */
class PinnedOnPaper extends Shows {
  change(machine: Machine): Machine {
    return { ...machine, pinned: { numaNode: 1 } };
  }
}

type Driver = new (platform: SimulatedPlatform) => SimulatedProvider;

const broken: readonly (readonly [string, Driver])[] = [
  ["create-repeat", ListsTwice],
  ["listing", ListsTwice],
  ["listing", NeverComplete],
  ["delete-owner", DeletesAnybodys],
  ["create-repeat", Forgetful],
  ["power-cycle", Forgetful],
  ["restart", Forgetful],
  ["restart", NoRecords],
  ["missing", PlainErrors],
  ["delete-owner", MaybeAlways],
  ["create-abort", Deaf],
  ["crash", SaysNothing],
  ["crash", AllRequested],
  ["guest-shutdown", AllRequested],
  ["reboot", SinceNow],
  ["workload-exit", AllSucceeded],
  ["workload-signal", AllSucceeded],
  ["workload-timeout", AllSucceeded],
  ["workload-crash", AllSucceeded],
  ["resize-cpu", PendingForever],
  ["disk-grow", Shrinks],
  ["disk-grow", GrowsAnyway],
  ["pin-numa", PinsNothing],
  ["pin-numa", PinnedOnPaper],
  ["pin-exclusive", PinsNothing],
  ["workload-exit", LosesLog],
  ["workload-log-restart", LosesLog],
  ["serial-replay", NoReplay],
  ["snapshot-disk", SnapshotsStay],
  ["clone", CopiesAnybodys],
  ["clone", CopiesOfTheDead],
  ["clone", RestartsForCopies],
  ["clone", SnapshotsStay],
  ["move-live", MovesNowhere],
  ["move-live", MovesByReboot],
  ["start-elsewhere", StartsWhereItWas],
];

const cases = broken.map(([id, Broken]) => ({ id, name: Broken.name, Broken }));

test.concurrent.each(cases)("$id notices the driver $name", async ({ id, Broken }) => {
  const check = checks.find((each) => each.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  // The healthy driver passes the very check, alone and on a fresh platform.
  await benchOf(SimulatedProvider).run(check);
  await expect(benchOf(Broken).run(check)).rejects.toBeInstanceOf(Error);
});

function benchOf(Chosen: Driver): Bench {
  const platform = new SimulatedPlatform({
    site: "s",
    hosts: [gpuHost("h", "A100=1"), gpuHost("h2", "T4=1")],
    latencies: { createMs: 10, bootMs: 10, shutdownMs: 10 },
  });
  return new Bench({
    provider: new Chosen(platform),
    owner,
    spec: (overrides) => ({
      id: randomUUID(),
      name: "a",
      hostId: "h",
      image: "tiny",
      cpu: { sockets: 1, cores: 1, threads: 1 },
      memoryBytes: gib,
      diskBytes: gib,
      gpus: [],
      serviceClass: "standard",
      network: "n",
      loginUser: "root",
      sshKeys: [],
      owner,
      ...overrides,
    }),
    timings: { readyMs: 1_500, operationMs: 500 },
    restart: () => Promise.resolve(new Chosen(platform)),
    crash: (id) => Promise.resolve(platform.crash(id)),
    shutDownFromInside: (id) => Promise.resolve(platform.shutDownByGuest(id)),
    close: () => Promise.resolve(),
  });
}

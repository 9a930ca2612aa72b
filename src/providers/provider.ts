/**
 * What every platform must offer, from a laptop to a data center. The obligations are in the
 * comments; conformance.ts tests them against a real server of each kind.
 *
 * 1. The control plane chooses every id. `MachineSpec.id` becomes the native uuid, name or tag, so
 *    that a repeated `create` adopts what is there instead of making a second one.
 * 2. Every mutation is named by `Call.operationId`, which the control plane stored before it
 *    called. The same operation id again returns the same handle and has no second effect;
 *    `operation` can be asked by another process.
 * 3. An error says whether its effect is `none`, `maybe` or `done` (ProviderError.effect).
 *    After `maybe` the caller looks with `operation` or `machine`; it never retries blindly.
 * 4. State is evidence: when it was seen. A machine that a *complete* listing does not name is
 *    missing, which is not the same as stopped.
 * 5. A listing says whether it is complete; half an inventory deletes nothing.
 * 6. `delete` demands the expected owner.
 * 7. Differences between platforms are data (`Capabilities`), never `if (kind === …)` elsewhere.
 * 8. A driver never reads the database.
 */
import type { Duplex, Readable } from "node:stream";

import type { Host } from "./host.ts";
import type {
  Activity,
  CpuTopology,
  GpuAssignment,
  Machine,
  MachineSpec,
  Owner,
  Sample,
  Snapshot,
} from "./machine.ts";

export type * from "./host.ts";
export type * from "./machine.ts";

export type ProviderKind = "local" | "simulated" | "kubevirt";

/** How machines run: said by `doctor`, by the API and by the console. */
export type Execution = "kvm" | "emulated" | "simulated";

/** A capability is there, or it is not, because of something a person can read. */
export type Capability =
  | { readonly can: true }
  | {
      readonly can: false;
      readonly because: string;
      /** Of machines of these service classes alone; of all if absent. */
      readonly classes?: readonly ("core" | "standard")[];
    };

export interface Capabilities {
  readonly snapshotWithMemory: Capability;
  readonly snapshotDiskOnly: Capability;
  /** A snapshot of the disk may outlive its machine, and machines may be made from it. */
  readonly keepSnapshot: Capability;
  /** Machines may be made from a snapshot whose machine is still there: another one like it. */
  readonly clone: Capability;
  /** CPU or memory changes while the machine runs. Without it a resize acts at the next start. */
  readonly resizeCpuLive: Capability;
  readonly resizeMemoryLive: Capability;
  /** A disk becomes larger at all, while its machine runs or at its next start. */
  readonly diskGrow: Capability;
  readonly diskGrowLive: Capability;
  /** Whole GPUs are added to, and taken from, a machine that runs or is stopped. */
  readonly resizeGpus: Capability;
  readonly pause: Capability;
  /** A stopped machine may start on another host of its site: its disks are not on one of them. */
  readonly startElsewhere: Capability;
  /** A machine goes to another host while it runs (`move`); a single one may still be unable to. */
  readonly moveLive: Capability;
  readonly serialConsole: Capability;
  readonly vncConsole: Capability;
  readonly warmStart: Capability;
  readonly tenantNetwork: Capability;
  readonly outboundNetwork: Capability;
  /** Customers open ports of their machines to others (`tellProjects`). */
  readonly openings: Capability;
  readonly workloads: Capability;
  readonly gpus: Capability;
  /** A machine runs on the CPUs of one NUMA node of its host. */
  readonly numaPinning: Capability;
  /** The CPUs of a machine run on CPUs of its host that run no other machine. */
  readonly exclusiveCpus: Capability;
  /** What makes `create` safe to repeat. */
  readonly idempotency: "client-id" | "unique-name" | "tag-scan";
}

export interface ProviderInfo {
  readonly kind: ProviderKind;
  readonly site: string;
  readonly version: string;
  readonly execution: Execution;
  /** Why it runs like that, e.g. what the probe VM showed; for a person. */
  readonly executionReason: string;
  readonly capabilities: Capabilities;
  /** What the platform lacks, for its operator; looked for at most once a minute. None if absent. */
  readonly findings?: readonly SiteFinding[];
}

export interface SiteFinding {
  /** `problem`: something that is sold there does not work. */
  readonly severity: "warning" | "problem";
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** A read: it may be abandoned at any time. */
export interface ReadCall {
  readonly signal: AbortSignal;
}

/** A mutation. `operationId` was stored by the caller before the call. */
export interface Call extends ReadCall {
  readonly operationId: string;
  readonly owner: Owner;
}

export interface Listing<T> {
  readonly items: readonly T[];
  /** False when a scope could not be read: then nothing may be concluded from absence. */
  readonly complete: boolean;
  readonly failedScopes: readonly string[];
  /**
   * Up to when what is shown was certainly there, where that is before now: a platform that is watched may
   * have fallen silent. Whoever is missing later is billed to there.
   */
  readonly seenUntil?: number;
}

export interface OperationRef {
  readonly id: string;
  readonly machineId: string;
  /** What the platform calls it, e.g. a task id; opaque. */
  readonly native: string;
}

export type OperationStatus =
  | { readonly state: "running"; readonly percent?: number }
  | { readonly state: "done"; readonly note?: string }
  | { readonly state: "failed"; readonly error: ProviderError }
  /** The platform has no record of it; look at the machine instead. */
  | { readonly state: "unknown" };

export type PowerAction =
  /** On that host, where a stopped machine may start elsewhere; else where it was. */
  | { readonly to: "start"; readonly hostId?: string }
  | { readonly to: "shutdown"; readonly graceSeconds: number }
  | { readonly to: "stop" }
  | { readonly to: "reboot" }
  | { readonly to: "pause" }
  | { readonly to: "resume" };

export type Interruption =
  /** What is left of it after that long is killed. */
  | { readonly to: "end"; readonly graceSeconds: number }
  /** Takes that back, unless the program has been told to end already. */
  | { readonly to: "go-on" };

export interface Resize {
  readonly cpu?: CpuTopology;
  readonly memoryBytes?: number;
  /** Disks only grow. */
  readonly diskBytes?: number;
  /** All that it is to have, those that it has among them. */
  readonly gpus?: readonly GpuAssignment[];
}

export type ProviderErrorCode =
  | "not_found"
  | "capacity"
  | "throttled"
  | "unavailable"
  | "refused"
  | "unknown";

/**
 * The only error that a driver throws. `effect` says whether the side effect may have happened,
 * which decides between retry (`none`), look first (`maybe`) and go on (`done`).
 */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly code: ProviderErrorCode;
  readonly effect: "none" | "maybe" | "done";

  constructor(
    code: ProviderErrorCode,
    message: string,
    options: { readonly effect: "none" | "maybe" | "done"; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.effect = options.effect;
  }
}

/** Who comes first, in the words of the queue: credit of a package counts as gold. */
export type TenantTier = "diamond" | "gold" | "ordinary";

/** A port of machines that others than their own network may reach. */
export interface PortOpening {
  /** Of the machine of one lease; of all machines of the project if absent. */
  readonly resourceId?: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** CIDRs of either version, at least one. */
  readonly sources: readonly string[];
}

/** What platforms are told of a project beside its machines; of one that is not named, nothing is open. */
export interface ToldProject {
  readonly openings: readonly PortOpening[];
  /** `core`: its machines are core machines alone, and the platform itself refuses others where it can. */
  readonly serviceClass: "core" | "standard";
}

/** How far a platform is with taking away what it held of a project, its machines apart. */
export type ProjectEnd =
  | { readonly state: "going"; readonly waitsFor: string }
  | {
      readonly state: "gone";
      /** What is kept on purpose, such as the volumes of a class that keeps them; for its operator. */
      readonly leftovers: readonly { readonly what: string; readonly why: string }[];
    };

export interface Provider {
  readonly site: string;
  info(call: ReadCall): Promise<ProviderInfo>;
  hosts(call: ReadCall): Promise<Listing<Host>>;
  /** Every machine that carries one of our ids, whoever wants it now. */
  machines(call: ReadCall): Promise<Listing<Machine>>;
  /** `undefined` only if the platform answered and does not have it. */
  machine(call: ReadCall, machineId: string): Promise<Machine | undefined>;
  /**
   * Ids of machines that may have changed. Events may be lost, doubled or early; a listener looks
   * again. Ends when the signal aborts.
   */
  changes(call: ReadCall): AsyncIterable<string>;

  /** Creates and starts. Returns once the platform has durably accepted it. */
  create(call: Call, spec: MachineSpec): Promise<OperationRef>;
  power(call: Call, machineId: string, action: PowerAction): Promise<OperationRef>;
  /**
   * Tells the workload to save its work and to end, or that it may go on after all. Done once the
   * guest knows; the end shows in `Machine.workload`. What has ended already stays as it ended.
   */
  interrupt(call: Call, machineId: string, how: Interruption): Promise<OperationRef>;
  resize(call: Call, machineId: string, to: Resize): Promise<OperationRef>;
  /**
   * To another host of the platform's choice, or to that one, while it runs. Done once it runs there,
   * or already did; one that cannot move is `refused` with the reason, and runs on where it is.
   */
  move(call: Call, machineId: string, hostId?: string): Promise<OperationRef>;
  /**
   * Deleting what is not there is done, not an error; another owner's machine is `refused`. With
   * `keep`, a snapshot of its disk outlives it, until `dropKept`; without that snapshot nothing is
   * deleted (`not_found`).
   */
  delete(call: Call, machineId: string, keep?: string): Promise<OperationRef>;
  snapshot(
    call: Call,
    machineId: string,
    snapshot: { readonly id: string; readonly name: string; readonly withMemory: boolean },
  ): Promise<OperationRef>;
  revert(call: Call, machineId: string, snapshotId: string): Promise<OperationRef>;
  deleteSnapshot(call: Call, machineId: string, snapshotId: string): Promise<OperationRef>;
  /** Forgets a snapshot that outlived its machine, which `machineId` was; done if it is not there. */
  dropKept(call: Call, machineId: string, snapshotId: string): Promise<OperationRef>;
  snapshots(call: ReadCall, machineId: string): Promise<Listing<Snapshot>>;
  operation(call: ReadCall, ref: OperationRef): Promise<OperationStatus>;

  /**
   * Takes away what the platform holds of a project that ended: asked again and again until it is
   * `gone`, also by another process. Machines are not ended by it: as long as one is there it waits.
   * Absent where a project leaves nothing but its machines.
   */
  removeProject?(
    call: ReadCall,
    project: { readonly tenantId: string; readonly projectId: string },
  ): Promise<ProjectEnd>;

  /**
   * Tells what each tenant is who has work here, all of them at once, for a platform that has a queue of
   * its own: told again whenever that changes, and after a restart. Twice is the same as once, and jobs
   * that run go on. Absent where no queue but ours decides.
   */
  tellTiers?(call: ReadCall, tiers: ReadonlyMap<string, TenantTier>): Promise<void>;

  /**
   * Tells which ports customers opened and which projects hold core machines alone, all of it at once: told
   * again whenever that changes, now and then, and after a restart. What is not in it is closed, and not
   * strict. Twice is the same as once. A process that was told nothing yet closes and loosens nothing. Absent
   * where machines have no ports to open.
   */
  tellProjects?(call: ReadCall, projects: ReadonlyMap<string, ToldProject>): Promise<void>;

  /** Bidirectional bytes. Serial begins with what was printed before (a bounded ring). */
  console(call: ReadCall, machineId: string, kind: "serial" | "vnc"): Promise<Duplex>;
  /** Bytes of the workload's log from `offset`; empty at the end so far. Never blocks for more. */
  workloadLog(
    call: ReadCall,
    machineId: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer>;
  /** A tar stream of the results directory; only after the workload ended. */
  workloadResults(call: ReadCall, machineId: string): Promise<Readable>;
  samples(call: ReadCall, machineIds: readonly string[]): Promise<readonly Sample[]>;
  /** Of those that run; may ask the guests, so it is not for every few seconds. */
  activity(call: ReadCall, machineIds: readonly string[]): Promise<readonly Activity[]>;
  close(): Promise<void>;
}

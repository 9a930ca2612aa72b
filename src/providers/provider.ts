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

export type ProviderKind = "local" | "simulated";

/** How machines run: said by `doctor`, by the API and by the console. */
export type Execution = "kvm" | "emulated" | "simulated";

/** A capability is there, or it is not, because of something a person can read. */
export type Capability = { readonly can: true } | { readonly can: false; readonly because: string };

export interface Capabilities {
  readonly snapshotWithMemory: Capability;
  readonly snapshotDiskOnly: Capability;
  /** A snapshot of the disk may outlive its machine, and machines may be made from it. */
  readonly keepSnapshot: Capability;
  /** CPU or memory changes while the machine runs. Without it a resize acts at the next start. */
  readonly resizeCpuLive: Capability;
  readonly resizeMemoryLive: Capability;
  readonly diskGrowLive: Capability;
  /** Whole GPUs are added to, and taken from, a machine that runs or is stopped. */
  readonly resizeGpus: Capability;
  readonly pause: Capability;
  readonly serialConsole: Capability;
  readonly vncConsole: Capability;
  readonly warmStart: Capability;
  readonly tenantNetwork: Capability;
  readonly outboundNetwork: Capability;
  readonly workloads: Capability;
  readonly gpus: Capability;
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
}

export interface Owner {
  readonly tenantId: string;
  readonly projectId: string;
  /** The lease or attempt that this machine serves. */
  readonly resourceId: string;
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

export type PowerState = "running" | "paused" | "stopped" | "unknown";

/** Evidence: a value and when it was seen (epoch milliseconds). */
export interface Observed<T> {
  readonly value: T;
  readonly at: number;
}

export interface GpuDevice {
  /** Stable on its host, e.g. a PCI address. */
  readonly id: string;
  readonly model: string;
  readonly memoryBytes: number;
  /** How a share of it is kept apart from the others: `hard` (passthrough, MIG, vGPU) or `soft`. */
  readonly isolation: "hard" | "soft";
  /** Largest number of equal slices; 1 means whole devices only. */
  readonly slicesMax: number;
  /** It runs slower than it could: too hot, or those who share it want more than it has. */
  readonly throttled?: boolean;
  /** How it is cut; without it, `slicesMax` and `isolation` tell. `whole` is never cut. */
  readonly mode?: "whole" | "vgpu" | "mig" | "shared";
  /** The index of its node in the host's `numa`. */
  readonly numaNode?: number;
  /** Devices of one host with the same group reach each other by NVLink. */
  readonly nvlinkGroup?: string;
  /** False when the platform has seen that it is sick; nothing new is put on it then. */
  readonly healthy?: boolean;
  /**
   * The extended resource that a Kubernetes node advertises it as, such as `nvidia.com/gpu`; what is
   * requested of the node is that and nothing else.
   */
  readonly resource?: string;
}

export interface Host {
  readonly id: string;
  readonly state: "up" | "down" | "maintenance";
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly hugePages: Readonly<Partial<Record<"2Mi" | "1Gi", number>>>;
  readonly gpus: readonly GpuDevice[];
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Percent of the last minute in which something that could run waited for a CPU; absent when the
   * platform does not say.
   */
  readonly cpuPressurePercent?: number;
  /** Its NUMA nodes in order; absent when the platform does not say. */
  readonly numa?: readonly NumaNode[];
  /** Version of the GPU driver that it runs, such as `550.54.15`; absent when nobody says. */
  readonly gpuDriver?: string;
}

export interface NumaNode {
  readonly cpus: number;
  readonly memoryBytes: number;
}

export interface CpuTopology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

export interface GpuAssignment {
  readonly deviceId: string;
  readonly model: string;
  /** 1 is the whole device, n is one n-th of it. */
  readonly slice: number;
  /** As `GpuDevice.resource`. */
  readonly resource?: string;
}

/** What runs in a job's machine; it starts by itself once the guest is ready. */
export interface WorkloadSpec {
  /** argv of the program; a script arrives as a file among the inputs. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A tar file on the control plane's disk that is unpacked into the work directory. */
  readonly inputsPath?: string;
  /**
   * argv that saves the work when the program is interrupted (`Provider.interrupt`), run beside it as
   * the same user; without it the program itself gets SIGTERM at once.
   */
  readonly checkpoint?: readonly string[];
  /** The variable of its environment that gets `Machine.address` of its own machine. */
  readonly addressVariable?: string;
  readonly timeLimitSeconds: number;
  /** Largest log and largest results archive that the platform keeps, in bytes. */
  readonly logBytesMax: number;
  readonly resultsBytesMax: number;
}

export interface MachineSpec {
  /** uuid chosen by the control plane; becomes the native identity. */
  readonly id: string;
  /** Host name in the guest: a DNS label. */
  readonly name: string;
  readonly hostId: string;
  readonly image: string;
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly GpuAssignment[];
  /** `core`: no overcommit, no page sharing; `standard` may share and balloon. */
  readonly serviceClass: "core" | "standard";
  /** The tenant's isolated network; machines of one tenant may share it, of two never. */
  readonly network: string;
  readonly loginUser: string;
  readonly sshKeys: readonly string[];
  /** cloud-init user data, for images that take it. */
  readonly userData?: string;
  /**
   * A snapshot that was kept when its machine was deleted: the new machine's disk is as that was,
   * and no smaller. Of the same tenant; the snapshot stays as it is.
   */
  readonly fromSnapshot?: string;
  readonly workload?: WorkloadSpec;
  readonly owner: Owner;
}

export interface Endpoint {
  readonly service: "ssh";
  readonly host: string;
  readonly port: number;
}

/** Why a machine that ran does not run any more. */
export interface StopEvidence {
  readonly at: number;
  /** `requested` by us, `guest` shut itself down, `crashed` for anything else. */
  readonly reason: "requested" | "guest" | "crashed";
  readonly detail: string;
}

export type WorkloadEnd =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signaled"; readonly signal: string }
  | { readonly kind: "timed_out" }
  /** It was told to save its work and to end, and did not end by itself before that. */
  | { readonly kind: "interrupted" }
  /** The platform lost it: machine crash, agent gone, disk broken. Never the customer's fault. */
  | { readonly kind: "platform_fault"; readonly detail: string };

export interface WorkloadStatus {
  readonly state: "pending" | "running" | "ended";
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly end?: WorkloadEnd;
  readonly logBytes: number;
}

export interface Machine {
  readonly id: string;
  readonly owner: Owner | undefined;
  readonly hostId: string;
  /** Where it is kept natively (directory, node, MoRef): a cache for people, never identity. */
  readonly locator: Readonly<Record<string, string>>;
  readonly power: Observed<PowerState>;
  /** When the current power state began; the evidence that metering rests on. */
  readonly powerSince: number;
  readonly stop?: StopEvidence;
  /** The agent in the guest has answered: keys are in place and the address works. */
  readonly guest: {
    readonly ready: boolean;
    readonly readyAt?: number;
    /** When the agent answered last, where the platform keeps asking it. */
    readonly heardAt?: number;
  };
  readonly start: "cold" | "warm" | "simulated" | undefined;
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** A resize that waits for the next start. */
  readonly pendingResize: boolean;
  readonly endpoints: readonly Endpoint[];
  /**
   * The IP address at which others of its `MachineSpec.network` reach it, at the latest when its guest is
   * ready; it stays the same. Absent where the platform does not know it.
   */
  readonly address?: string;
  readonly workload?: WorkloadStatus;
}

export interface Listing<T> {
  readonly items: readonly T[];
  /** False when a scope could not be read: then nothing may be concluded from absence. */
  readonly complete: boolean;
  readonly failedScopes: readonly string[];
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
  | { readonly to: "start" }
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

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly takenAt: number;
  readonly withMemory: boolean;
  readonly bytes: number;
}

export interface Sample {
  readonly machineId: string;
  readonly at: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
}

/**
 * What tells whether anybody still needs a machine. A figure that nobody could see is `null`, which
 * never means zero. CPU and network are counters since the machine was started; of two looks the
 * difference counts, and one that went back was started anew.
 */
export interface Activity {
  readonly machineId: string;
  readonly at: number;
  /** Of all its CPUs together. */
  readonly cpuSeconds: number | null;
  /** In and out, over all its cards. */
  readonly networkBytes: number | null;
  /** What programs in it have, without caches, which would be given up; not a counter. */
  readonly memoryBytes: number | null;
  /** Share of the busiest of its GPUs that is in use, 0 to 1; `null` also if it has none. */
  readonly gpuShare: number | null;
  /** People who are logged in. Who watches a console is known to the control plane, not here. */
  readonly sessions: number | null;
  /** How each figure was seen, or why it was not; for a person. */
  readonly seenBy: Readonly<Record<"cpu" | "network" | "memory" | "gpu" | "sessions", string>>;
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

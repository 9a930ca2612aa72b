/** What a platform is told of a machine, and what it shows of it: part of the contract, see provider.ts. */

export interface Owner {
  readonly tenantId: string;
  readonly projectId: string;
  /** The lease or attempt that this machine serves. */
  readonly resourceId: string;
}

export type PowerState = "running" | "paused" | "stopped" | "unknown";

/** Evidence: a value and when it was seen (epoch milliseconds). */
export interface Observed<T> {
  readonly value: T;
  readonly at: number;
}

export interface CpuTopology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

/** Which CPUs of its host a machine may run on. What the platform cannot do is refused. */
export interface Pinning {
  /** Those of this node, by its index in the host's `numa`; memory of it, as long as it has some. */
  readonly numaNode?: number;
  /** As many as it has, which run nothing else of ours; which ones is the platform's business. */
  readonly exclusive?: true;
}

export interface GpuAssignment {
  readonly deviceId: string;
  readonly model: string;
  /** 1 is the whole device, n is one n-th of it. */
  readonly slice: number;
  /** `GpuDevice.resource`, or of a part `sliceResource`: see extended-resources.ts. */
  readonly resource?: string;
}

/** One member's place in its gang, for a platform whose own queue starts all members together. */
export interface GangPlace {
  /** The same for all members of one attempt, and for no other attempt. */
  readonly id: string;
  readonly size: number;
  readonly rank: number;
  /** Close together, or each on a host of its own. */
  readonly how: "pack" | "spread";
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
  /** What follows is for a platform that queues jobs itself; the others pass it over. */
  readonly gang?: GangPlace;
  readonly framework?: "none" | "pytorch" | "tensorflow";
  readonly tier?: "diamond" | "gold" | "ordinary";
  /** It may be told to make room; nothing else ever is. */
  readonly preemptible?: boolean;
  /** Seconds that it gets to save its work when the platform ends it, and not `interrupt`. */
  readonly graceSeconds?: number;
}

/**
 * What its flavor wants besides, for a platform with a scheduler, huge pages or disks of its own to say it
 * to. Placement has heeded what is about hosts already; who cannot say it further passes it over.
 */
export interface MachineWants {
  /** The hosts that it may run on have these. */
  readonly hostLabels?: Readonly<Record<string, string>>;
  /** Keys of taints that do not keep it off a host. */
  readonly tolerations?: readonly string[];
  /** On no host with another machine of its tenant that wants the same. */
  readonly apart?: true;
  readonly hugePages?: "2Mi" | "1Gi";
  readonly cpuModel?: "host-passthrough";
  /**
   * Of `diskBytes`, what is to be disks of their own; the first one has the rest. Who gives a machine one
   * disk makes that as large as all of them. A machine made of a snapshot has the disks that the snapshot has.
   */
  readonly disks?: readonly { readonly name: string; readonly bytes: number }[];
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
  readonly pinning?: Pinning;
  /** `core`: no overcommit, no page sharing; `standard` may share and balloon. */
  readonly serviceClass: "core" | "standard";
  readonly wants?: MachineWants;
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

/**
 * `preempted` by work of a higher class, `reclaimed` by whoever had lent it his share; `node`: its node is
 * being emptied; `queue`: its queue was closed.
 */
export type EvictedBy = "preempted" | "reclaimed" | "node" | "queue";

export type WorkloadEnd =
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "signaled"; readonly signal: string }
  | { readonly kind: "timed_out" }
  /** It was told to save its work and to end, and did not end by itself before that. */
  | { readonly kind: "interrupted" }
  /**
   * The platform's own scheduler took it away, and nobody here had asked for it. It may have saved its
   * work; what it costs hangs on why (R-PAYG-7), so only the platform's word says that, never the guest's.
   */
  | { readonly kind: "evicted"; readonly by: EvictedBy; readonly detail: string }
  /** The platform lost it: machine crash, agent gone, disk broken. Never the customer's fault. */
  | { readonly kind: "platform_fault"; readonly detail: string };

export interface WorkloadStatus {
  readonly state: "pending" | "running" | "ended";
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly end?: WorkloadEnd;
  readonly logBytes: number;
}

/** What a person should know of a machine: what it is, what to do about it, and who can. */
export interface Remark {
  /** For programs; the same as long as the cause is. */
  readonly code: string;
  readonly message: string;
  /** What he has to do; for `nobody`, what will happen. */
  readonly advice: string;
  /** `nobody`: it goes by itself. */
  readonly who: "customer" | "operator" | "nobody";
  readonly details?: Readonly<Record<string, unknown>>;
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
  /**
   * It is off, and its platform is about to switch it on, or will try again by itself. Who wants it off says
   * so first; until then it may begin to run at any time.
   */
  readonly comesOn?: boolean;
  readonly stop?: StopEvidence;
  /**
   * Runs before the one that goes on, or that ended last, whose guests were ready: oldest first, the last
   * few, where the platform keeps them. Whoever did not look for a while learns of them here.
   */
  readonly past?: readonly { readonly readyAt: number; readonly stop: StopEvidence }[];
  /** The agent in the guest has answered: keys are in place and the address works. */
  readonly guest: {
    readonly ready: boolean;
    /** Of the run that goes on, or of the last one where the platform keeps it. */
    readonly readyAt?: number;
    /** When the agent answered last, where the platform keeps asking it. */
    readonly heardAt?: number;
  };
  readonly start: "cold" | "warm" | "simulated" | undefined;
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** As it is, while the machine is on. */
  readonly pinned?: Pinning;
  /** The platform was told to empty its host, and this machine stays because it cannot move while it runs. */
  readonly evacuating?: true;
  /** A resize that waits for the next start. */
  readonly pendingResize: boolean;
  readonly endpoints: readonly Endpoint[];
  /**
   * The IP address or host name at which others of its `MachineSpec.network` reach it, at the latest when
   * its guest is ready; it stays the same. Absent where the platform does not know it.
   */
  readonly address?: string;
  readonly workload?: WorkloadStatus;
  /** Why it does not run although it should; absent if nothing is in its way, and where nobody says. */
  readonly waiting?: Remark;
  /** What to know of it besides, such as a change that waits for a restart; no more than a few. */
  readonly notes?: readonly Remark[];
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

/** What one decision sees of one instance, and what it may ask for. Types only. */
import type { OperationKind } from "#flow/admit/operations.ts";
import type { Kind, Wanted } from "#flow/admit/requests.ts";
import type { Workload } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";
import type {
  Endpoint,
  Interruption,
  Machine,
  OperationStatus,
  PowerAction,
  Remark,
  Resize,
  WorkloadEnd,
  WorkloadStatus,
} from "#providers/provider.ts";

export type InstanceState =
  | "creating"
  | "running"
  | "stopping"
  | "stopped"
  | "starting"
  | "failed"
  | "deleting"
  | "gone";

/** A call to the provider that was issued and whose end has not been seen. */
export interface PendingCall {
  /** The provider's operation id; made from stored facts, so that a repeat is the same call. */
  readonly key: string;
  readonly kind: CallKind;
  readonly native: string | null;
  /** The operation of the API that it serves, if one. */
  readonly operationId: string | null;
  readonly issuedAt: number;
}

export type CallKind =
  | "create"
  | "start"
  | "shutdown"
  | "reboot"
  | "resize"
  | "move"
  | "snapshot"
  | "revert"
  | "snapshot-delete"
  | "interrupt"
  | "go-on"
  | "delete";

/**
 * How an attempt ended: what the platform saw, or that we ended it. `preempted` is billed for what
 * ran, a fault is not; `moved` is a fault of ours that was seen in time: it may have saved its work,
 * and its next attempt is no retry. What the platform's own queue took away is one of these two
 * (interruption.ts), with its words as `detail`.
 */
export type AttemptEnd =
  | Exclude<WorkloadEnd, { readonly kind: "interrupted" | "evicted" | "platform_fault" }>
  | { readonly kind: "platform_fault"; readonly detail: string; readonly moved?: true }
  | { readonly kind: "canceled" }
  | { readonly kind: "preempted"; readonly detail?: string };

/** That an attempt was told, or is to be told, to save its work and to end: row of `preemption`. */
export interface InterruptionView {
  readonly id: string;
  /** `migration`: off a device or a host that is sick. */
  readonly cause: "preemption" | "migration";
  readonly askedAt: number;
  readonly noticeUntil: number;
  /** When the guest was told. */
  readonly toldAt: number | null;
  readonly calledOff: boolean;
  /** When the guest was told that it may go on after all. */
  readonly takenBackAt: number | null;
  readonly reason: Reason;
}

export type AttemptStatus = Omit<WorkloadStatus, "end"> & { readonly end?: AttemptEnd };

/** How calls are repeated: see pace.ts. */
export interface Pace {
  /** Calls so far that ended without what they were for; part of the next key. */
  readonly keys: number;
  /** The work that is being repeated, how often in a row, and when it may be tried again. */
  readonly of: string | null;
  readonly inRow: number;
  readonly notBefore: number;
}

export interface InstanceView {
  readonly tenantId: string;
  readonly id: string;
  readonly requestId: string;
  readonly kind: Kind;
  readonly turn: number;
  readonly state: InstanceState;
  readonly stateSince: number;
  readonly createdAt: number;
  readonly shape: Shape;
  readonly readyAt: number | null;
  readonly restarts: number;
  readonly call: PendingCall | null;
  readonly pace: Pace;
  /** The instant, by the platform's clock, of the stop that the last start left behind. */
  readonly stopBeforeStart: number | null;
  readonly missingSince: number | null;
  /** When it was seen last, before it was missed. */
  readonly seenUntil: number | null;
  readonly workload: AttemptStatus | null;
  /** Jobs: the log and the results have been brought into the tenant's storage. */
  readonly collected: boolean;
  /** What the platform said of the machine at the last look. */
  readonly waiting: Remark | null;
  readonly notes: readonly Remark[];
  /** When it was last seen to wait for what goes by itself, and does not any more. */
  readonly waitedUntil: number | null;
  /** The last transitions that count for metering, so that none is written twice. */
  readonly metering: {
    readonly seq: number;
    readonly lastAt: number;
    readonly ready: boolean;
    readonly workloadStarted: boolean;
    readonly workloadEnded: boolean;
    readonly created: boolean;
    readonly deleted: boolean;
  };
}

export interface RequestView {
  readonly wanted: Wanted;
  readonly turn: number;
  readonly shape: Shape;
  readonly restart: "never" | "on-failure";
  readonly workload: Workload | null;
  /** What becomes of it once an attempt has ended is for its gang to say (gang.ts). */
  readonly inGang: boolean;
  readonly ended: boolean;
}

export interface OperationView {
  readonly id: string;
  readonly kind: OperationKind;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
}

/** `unknown`: the platform could not be asked; nothing may be concluded. */
export type Sight =
  | { readonly seen: "machine"; readonly machine: Machine }
  | { readonly seen: "absent" }
  | { readonly seen: "unknown" };

export interface View {
  readonly instance: InstanceView;
  /** The newest of this attempt. */
  readonly interruption: InterruptionView | null;
  /** Attempts before this one that a fault of the platform ended; moved ones do not count. */
  readonly faultsBefore: number;
  /** A guest of a job that has not answered for that long is taken for dead. */
  readonly silentMsMax: number;
  /** Its host, and since when that is down; null as long as it is not. */
  readonly host: {
    readonly name: string;
    /** As its platform names it. */
    readonly nativeId: string;
    readonly downSince: number | null;
  };
  /** An attempt whose host has been down for longer is given up. */
  readonly hostDownMsMax: number;
  readonly request: RequestView;
  readonly placement: { readonly state: "full" | "disk" | "none"; readonly turn: number };
  readonly operations: readonly OperationView[];
  readonly sight: Sight;
  /** Of `instance.call`, if there is one. */
  readonly callStatus: OperationStatus | undefined;
  /** When the platform showed it last, as far as is known. */
  readonly lastSeenAt: number | null;
  readonly now: number;
}

export interface Transition {
  readonly kind:
    | "created"
    | "ready"
    | "stopped"
    | "resized"
    | "workload_started"
    | "workload_ended"
    | "deleted";
  readonly at: number;
  readonly shape: Shape;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export type CallOrder = { readonly key: string; readonly operationId: string | null } & (
  | { readonly kind: "create" }
  | { readonly kind: "start" | "shutdown" | "reboot"; readonly action: PowerAction }
  | { readonly kind: "resize"; readonly to: Resize }
  | { readonly kind: "move"; readonly hostId: string | undefined }
  | {
      readonly kind: "snapshot";
      readonly snapshot: {
        readonly id: string;
        readonly name: string;
        readonly withMemory: boolean;
      };
    }
  | { readonly kind: "revert" | "snapshot-delete"; readonly snapshotId: string }
  | { readonly kind: "interrupt" | "go-on"; readonly how: Interruption }
  | { readonly kind: "delete" }
);

export interface OperationEnd {
  readonly operation: OperationView;
  readonly outcome:
    | { readonly state: "succeeded"; readonly note?: string | undefined }
    | { readonly state: "failed"; readonly reason: Reason };
}

export interface EventNote {
  readonly kind: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly at: number;
  /** Left out if one of its kind with the same `details.code` was told in that time before. */
  readonly sparseMs?: number;
}

/** What should happen: rows first, in one transaction, then at most one call. */
export interface Step {
  readonly state: InstanceState;
  readonly patch: {
    readonly readyAt?: number | null;
    readonly endpoints?: readonly Endpoint[];
    readonly address?: string;
    readonly startKind?: Machine["start"];
    readonly pendingResize?: boolean;
    readonly restarts?: number;
    readonly call?: null;
    readonly pace?: Pace;
    readonly stopBeforeStart?: number | null;
    readonly missingSince?: number | null;
    readonly seenUntil?: number | null;
    readonly shape?: Shape;
    readonly workload?: AttemptStatus;
    readonly reason?: Reason | null;
    readonly waiting?: Remark | null;
    readonly notes?: readonly Remark[];
    readonly waitedUntil?: number;
  };
  readonly transitions: readonly Transition[];
  readonly placement?: "disk" | "none";
  /** What becomes of the request. */
  readonly request?:
    | { readonly set: "wanted-stopped"; readonly reason: Reason | null }
    | {
        readonly set: "next-turn";
        readonly reason: Reason;
        /** It does not wait in line before that. */
        readonly heldUntil: number | null;
      }
    | { readonly set: "as-its-gang" }
    | { readonly set: "ended"; readonly reason: Reason | null };
  readonly endedOperations: readonly OperationEnd[];
  /** The platform took it away by itself, which its owner has not been told yet. */
  readonly evicted?: { readonly billed: boolean; readonly detail: string; readonly at: number };
  /** The guest knows of the interruption, or that it was taken back. */
  readonly told?: { readonly id: string; readonly what: "interrupt" | "go-on" };
  readonly events: readonly EventNote[];
  readonly call?: CallOrder;
  /** Look again then, if nothing happens before. */
  readonly lookAgainAt?: number;
}

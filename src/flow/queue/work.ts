/**
 * What the queue's policy is told and what it answers. Room is counted in units of a pool: the GPUs of
 * one model, or CPUs, in thousandths where there are slices (`unitsPerWhole`). Times are epoch
 * milliseconds. Everything is data: the same snapshot gives the same plan, in whatever order its lists
 * come.
 */
import type { Reason } from "#kernel/reason.ts";

export const workClasses = ["diamond", "gold", "ordinary"] as const;
/** `gold` is also who bought a package. */
export type WorkClass = (typeof workClasses)[number];

/** The hosts of a pool that may take work of one kind at all; equal keys, equal hosts. */
export interface Where {
  readonly key: string;
  readonly hostIds: ReadonlySet<string>;
}

export interface QueuedWork {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly workClass: WorkClass;
  readonly askedAt: number;
  readonly pool: string;
  readonly units: number;
  /** May lie on several hosts, all of them or none; otherwise it needs one host. */
  readonly gang: boolean;
  /** Of a gang of equal members: so many units each, which need one host. */
  readonly memberUnits?: number | undefined;
  /**
   * How long it may run at most, as its owner said; its length is not known before it ends. Infinity
   * where nobody says when it ends, as of a lease.
   */
  readonly estimateMs: number;
  readonly deadlineAt?: number | undefined;
  /** A person waits for it: before jobs. `pinned`: a stopped one, which can start on one host only. */
  readonly lease?: "new" | "pinned" | undefined;
  /** All hosts of the pool when left out. */
  readonly where?: Where | undefined;
  /** Room is kept for the first few of each lane: of those that compete for the same hosts. */
  readonly lane?: string | undefined;
  /** What counts against budgets: its time limit, which may be longer than its estimate. */
  readonly longestMs?: number | undefined;
  /** Price of all of it; by the pool's price when left out. */
  readonly fenPerHour?: bigint | undefined;
}

export interface Part {
  readonly hostId: string;
  readonly units: number;
}

export interface RunningWork {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly pool: string;
  readonly parts: readonly Part[];
  /** That one of its machines holds, where several are counted together; else the largest part. */
  readonly unitsOfOne?: number | undefined;
  /** By its estimate. May be past; Infinity where nobody says. */
  readonly endsAt: number;
}

export interface PoolHost {
  readonly id: string;
  readonly pool: string;
  readonly units: number;
}

/** What one tenant, or one of his projects, may hold or spend; of one pool, or of all together. */
export interface Limit {
  readonly tenantId: string;
  readonly projectId?: string | undefined;
  readonly pool?: string | undefined;
  /** Of all pools but this one. */
  readonly exceptPool?: string | undefined;
  /** Units held at one time. */
  readonly unitsMax?: number | undefined;
  /** Unit-milliseconds of this month that neither were used nor are promised to what runs. */
  readonly unitMsLeft?: number | undefined;
  /** Money of this month, likewise. */
  readonly fenLeft?: bigint | undefined;
}

export interface Snapshot {
  readonly now: number;
  readonly waiting: readonly QueuedWork[];
  readonly running: readonly RunningWork[];
  readonly hosts: readonly PoolHost[];
  readonly limits: readonly Limit[];
  /** Price of a unit for an hour, by pool; a pool that is absent costs nothing. */
  readonly fenPerUnitHour: ReadonlyMap<string, bigint>;
  /** What each tenant used lately, see `shares.ts`. */
  readonly usage: readonly Usage[];
  /** How many units people call one: 1000 where units are thousandths. 1 when left out. */
  readonly unitsPerWhole?: number | undefined;
}

export interface Usage {
  readonly tenantId: string;
  /** Unit-milliseconds, decayed up to `asOf`. */
  readonly unitMs: number;
  readonly asOf: number;
  /** Of what there is he may expect in proportion to it; 1 is usual. */
  readonly weight: number;
}

export interface Start {
  readonly id: string;
  /** A place that has room; whoever places may choose a better one with as much. */
  readonly parts: readonly Part[];
  /** It passes work that keeps a reservation, the first of which begins then. */
  readonly aroundReservationAt: number | undefined;
  /** Its place in the order, under a policy that has one. */
  readonly dueAt?: number | undefined;
}

export interface Reservation {
  readonly id: string;
  readonly startsAt: number;
  readonly parts: readonly Part[];
}

/** Why it waits, in numbers; `explain.ts` makes a sentence of it. */
export type Obstacle =
  /** No whole number of units, or no length: nothing could ever start it. */
  | { readonly kind: "senseless" }
  | { readonly kind: "limit"; readonly reason: Reason }
  /** It would not fit the empty pool; `largest` of the hosts in question. */
  | { readonly kind: "never"; readonly needed: number; readonly largest: number }
  | { readonly kind: "reserved"; readonly startsAt: number; readonly needed: number }
  /** It would fit, and would delay work before it that begins then. */
  | { readonly kind: "kept"; readonly until: number; readonly needed: number }
  /** `free` units of each host after the pass. */
  | { readonly kind: "full"; readonly needed: number; readonly free: Int32Array };

export interface Waiting {
  readonly id: string;
  /** 1 is first, among all that wait for this pool. */
  readonly position: number;
  readonly dueAt: number;
  readonly obstacle: Obstacle;
}

export interface Plan {
  readonly starts: readonly Start[];
  readonly reservations: readonly Reservation[];
  readonly waiting: readonly Waiting[];
}

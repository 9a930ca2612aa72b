/** What is asked of placement, and its answers: the words between the queue and the planner. */
import { workKind, type WorkKind } from "#kernel/host-refuses.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

export interface PlaceAsk {
  readonly tenantId: string;
  readonly shape: Shape;
  /** A lease when left out: hosts may start only one of them. */
  readonly kind?: "lease" | "job";
  /** Its site must have it; left out where no site says which it has. */
  readonly image?: string;
  /**
   * A stopped lease starts where its disk is, with the devices that its machine was made with; the
   * disk is held already, the devices are not.
   */
  readonly pinned?: { readonly hostId: string; readonly deviceIds: readonly string[] };
  /** The only hosts in question, and those that are out of it: affinity to other work, and its opposite. */
  readonly only?: readonly string[];
  readonly not?: readonly string[];
  /** It stands in for a machine that a fault of ours took: it may use a pool's reserve. */
  readonly afterFault?: boolean;
}

/** Which of the kinds that hosts start it is. */
export function workOfAsk({ kind = "lease", shape }: Pick<PlaceAsk, "kind" | "shape">): WorkKind {
  return workKind(kind, shape);
}

/** Also the handle by which it is given back. */
export interface Placed {
  readonly placed: true;
  readonly hostId: string;
  readonly deviceIds: readonly string[];
  /** Where the shape wants one NUMA node and the host's are known; else null. */
  readonly numaNode: number | null;
}

/** The reason is that of the moment when it is read first: read it before the planner goes on. */
export interface Refused {
  readonly placed: false;
  readonly reason: Reason;
}

export type PlaceAnswer = Placed | Refused;

/** Of several that are of use only together: all in the order of the asks, or none. */
export type GangAnswer =
  | { readonly placed: true; readonly members: readonly Placed[] }
  /** So many found a place before one did not; they have given it back. */
  | (Refused & { readonly fitting: number });

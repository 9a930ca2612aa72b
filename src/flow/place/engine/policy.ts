/** What a policy is: a whole number for each host that fits, higher is better, and which devices. */
import type { Kind } from "./kind.ts";

export interface Policy {
  /**
   * Asked only where the kind fits. It depends on the slot's state and the kind and on nothing else
   * that changes, because it is kept until the slot changes. Above -2^31, below 2^31.
   */
  readonly score: (slot: number, kind: Kind) => number;
  /** The devices on the chosen host; without it the tightest ones. */
  readonly gpus?: (slot: number, kind: Kind) => number[];
}

/** What requests look like: kinds with their share, which sums to 1. From history, never the future. */
export type Demand = readonly DemandShare[];

export interface DemandShare {
  readonly cpuMilli: number;
  readonly gpuCount: number;
  readonly gpuMilli: number;
  /** Bits of the models that will do; -1 for any. */
  readonly models: number;
  readonly share: number;
}

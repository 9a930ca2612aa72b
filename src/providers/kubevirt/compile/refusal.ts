/** Why a machine is not sent to the cluster: what is wrong, and what to do. `details` is plain JSON. */
import type { Reason } from "#kernel/reason.ts";

export interface Refusal extends Reason {
  /** Who can do something about it. */
  readonly for: "customer" | "operator";
}

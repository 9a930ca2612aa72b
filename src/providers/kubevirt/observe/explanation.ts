/** Why a machine is as it is, in words of ours: what happened, and what to do, and who can. */
import type { Reason } from "#kernel/reason.ts";

export interface Explanation extends Reason {
  /** `nobody`: it goes by itself. */
  readonly for: "customer" | "operator" | "nobody";
  /** What he has to do; for `nobody`, what will happen. */
  readonly action: string;
}

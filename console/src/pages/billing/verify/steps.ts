/** What a check consists of, in order, and which step a failure belongs to. */
import type { Verdict } from "#verify/verify.ts";

type Failed = Verdict["failures"][number];
type FailureCode = Failed["code"];

export const steps = [
  "whole",
  "signature",
  "consistency",
  "inclusion",
  "events",
  "rating",
  "payments",
  "bill",
] as const;
export type Step = (typeof steps)[number];

const stepOf: Readonly<Record<FailureCode, Step>> = {
  malformed: "whole",
  damaged: "whole",
  events_missing: "whole",
  wrong_key: "signature",
  no_key: "signature",
  not_signed: "signature",
  forged: "signature",
  other_log: "signature",
  bad_checkpoint: "signature",
  no_checkpoint: "signature",
  fork: "consistency",
  inconsistent: "consistency",
  truncated: "consistency",
  no_proof: "consistency",
  event_changed: "inclusion",
  leaves_disordered: "inclusion",
  not_in_log: "inclusion",
  event_malformed: "events",
  event_of_other_tenant: "events",
  event_unit: "events",
  event_span: "events",
  event_twice: "events",
  segment_missing: "events",
  segment_gap: "events",
  used_twice: "events",
  retracted_unknown: "events",
  retracted_twice: "events",
  leaf_unknown: "events",
  usage_without_line: "rating",
  no_price: "rating",
  bad_profile: "rating",
  line_twice: "rating",
  line_unrated: "rating",
  paid_sum: "payments",
  paid_otherwise: "payments",
  package_unknown: "payments",
  order_amount: "payments",
  order_month: "payments",
  order_refund: "payments",
  leaf_after_checkpoint: "bill",
  statement_checkpoint: "bill",
  statement_differs: "bill",
  statement_unmade: "bill",
  invoice_hash: "bill",
};

export interface StepOutcome {
  readonly step: Step;
  /** `unreached`: the file could not be read so far. */
  readonly outcome: "passed" | "failed" | "unreached";
  readonly failures: readonly Failed[];
}

/** A step passed only if it was reached and nothing of it is wrong. */
export function outcomesOf({ bill, failures, failureCount }: Verdict): readonly StepOutcome[] {
  // Of very many failures only the first are told: then nobody knows which steps the rest are of.
  const isCut = failureCount > failures.length;
  return steps.map((step) => {
    const own = failures.filter((each) => stepOf[each.code] === step);
    const isReached = step === "whole" ? true : bill !== undefined && !isCut;
    const outcome = own.length > 0 ? "failed" : isReached ? "passed" : "unreached";
    return { step, outcome, failures: own };
  });
}

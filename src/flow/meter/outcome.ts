/** What becomes of an event that somebody hands in, and why. */

/** Needs somebody to look at it: it is kept, and listed. */
export const reviewReasons = {
  unknown_tenant: "There is no such tenant.",
  unknown_sku: "No price list has this SKU.",
  unknown_unit: "The unit is not that of the SKU, or nobody knows it.",
  overlap: "It overlaps with usage of the same instance and SKU.",
  metered_here: "The instance is metered by this installation itself.",
  unknown_original: "There is no event yet that it could take back.",
  late: "Its day is final for longer than late usage may come: it is logged, and not charged.",
} as const;
export type ReviewReason = keyof typeof reviewReasons;

/** The sender can mend it. */
export const refusalReasons = {
  malformed: "It is not a usage event.",
  reserved_source: "This source is the installation's own.",
  empty: "It ends when it begins.",
  negative: "It ends before it begins.",
  future: "It tells of the future.",
  crosses_midnight: "It goes over the tenant's local midnight: cut it there.",
  already_retracted: "What it takes back was taken back by another event.",
  other_tenant: "What it takes back is another tenant's.",
  rejected: "Somebody looked at it and rejected it.",
  review_full: "Too much waits to be looked at; send it again later.",
} as const;
export type RefusalReason = keyof typeof refusalReasons;

export type EventOutcome =
  | { readonly outcome: "accepted" | "duplicate" }
  | { readonly outcome: "conflict"; readonly message: string }
  | { readonly outcome: "review"; readonly reason: ReviewReason; readonly message: string }
  | { readonly outcome: "refused"; readonly reason: RefusalReason; readonly message: string };

export const accepted: EventOutcome = { outcome: "accepted" };
export const duplicate: EventOutcome = { outcome: "duplicate" };
export const conflict: EventOutcome = {
  outcome: "conflict",
  message: "The same source and id came before with other bytes; what came first stays.",
};

export function review(reason: ReviewReason): EventOutcome {
  return { outcome: "review", reason, message: reviewReasons[reason] };
}

export function refused(reason: RefusalReason, detail = ""): EventOutcome {
  return { outcome: "refused", reason, message: `${refusalReasons[reason]}${detail}` };
}

/**
 * The port to whoever moves money: a bank, a payment service. An implementation knows nothing of
 * tenants or the ledger.
 *
 * Obligations: every call may come again with the same key and then has the same effect once; a call
 * has a deadline by its signal; a call that throws is tried again later, so what is final is an
 * answer and never an error. A service that calls back (a webhook) is asked all the same: such a call
 * is a reason to look now, not a proof.
 */
import type { Fen } from "#kernel/money.ts";

export const paymentMethods = ["bank_transfer", "test"] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

/** What the payer does next. */
export type NextStep =
  | { readonly kind: "instructions"; readonly text: string }
  | { readonly kind: "redirect"; readonly url: string };

export interface StartedPayment {
  /** The provider's own name of the payment. */
  readonly reference: string;
  readonly next: NextStep;
}

export type PaymentStatus =
  | { readonly kind: "pending" }
  /** `amount` is what arrived, and is booked, whatever was asked for. */
  | { readonly kind: "settled"; readonly amount: Fen }
  | { readonly kind: "failed"; readonly reason: string };

export type RefundStatus =
  | { readonly kind: "pending" }
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly reason: string };

export interface PaymentProvider {
  readonly method: PaymentMethod;
  /** How often its payments are asked for; `undefined` where a person says that money arrived. */
  readonly pollMs: number | undefined;
  start(
    ask: {
      /** Names the payment; the key. */
      readonly id: string;
      /** For people; may be written on a transfer. */
      readonly code: string;
      readonly amount: Fen;
      readonly at: number;
    },
    signal: AbortSignal,
  ): Promise<StartedPayment>;
  status(reference: string, signal: AbortSignal): Promise<PaymentStatus>;
  /** Pays back part or all of a settled payment. */
  refund(
    ask: { readonly id: string; readonly reference: string; readonly amount: Fen },
    signal: AbortSignal,
  ): Promise<RefundStatus>;
}

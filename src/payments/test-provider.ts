/**
 * A payment service for tests and demonstrations: no money moves. It keeps no state, so that it can
 * be asked again after a restart: what becomes of a payment is in its reference. Amounts that end in
 * .13 fail, refunds that end in .13 are refused, all others settle a moment after they began.
 */
import { fen, type Fen } from "#kernel/money.ts";

import type { PaymentProvider } from "./provider.ts";

const settlesAfterMs = 2_000;
const unlucky = 13n;
const referencePattern = /^test-([0-9]+)-([0-9]+)-(.+)$/;

export function testProvider(now: () => number): PaymentProvider {
  return {
    method: "test",
    pollMs: settlesAfterMs,
    start: async ({ id, amount, at }) => {
      const reference = `test-${amount}-${at}-${id}`;
      return { reference, next: { kind: "redirect", url: `https://pay.invalid/${reference}` } };
    },
    status: async (reference) => {
      const [, amount = "0", at = "0"] = referencePattern.exec(reference) ?? [];
      if (now() < Number(at) + settlesAfterMs) return { kind: "pending" };
      const paid = fen(BigInt(amount));
      if (isUnlucky(paid)) return { kind: "failed", reason: "The test provider declined." };
      return { kind: "settled", amount: paid };
    },
    refund: async ({ amount }) =>
      isUnlucky(amount)
        ? { kind: "refused", reason: "The test provider declined." }
        : { kind: "done" },
  };
}

function isUnlucky(amount: Fen): boolean {
  return amount % 100n === unlucky;
}

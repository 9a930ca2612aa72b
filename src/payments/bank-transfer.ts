/**
 * Transfers to the operator's bank account, by hand on both sides: the payer writes the code on the
 * transfer, the operator reads his statement and records what arrived (receipts.ts), and transfers
 * back what is refunded. The payer is told in both languages at once.
 */
import { formatFen } from "#kernel/money.ts";

import type { PaymentProvider } from "./provider.ts";

/** `account` is shown to payers as it is: name, bank, number. */
export function bankTransfer(account: string | undefined): PaymentProvider {
  const to = account ?? "the account that your contract names";
  const zhTo = account ?? "合同所列账户";
  return {
    method: "bank_transfer",
    pollMs: undefined,
    start: async ({ code, amount }) => ({
      reference: code,
      next: {
        kind: "instructions",
        text: `Transfer exactly ${formatFen(amount)} CNY to ${to} and write ${code} as its purpose, and nothing else. It counts once the operator has seen it.\n请向 ${zhTo} 转账 ${formatFen(amount)} 元整,附言仅填写 ${code}。运营方确认到账后入账。`,
      },
    }),
    status: async () => ({ kind: "pending" }),
    // The operator transfers it; that it left the wallet is what the books know.
    refund: async () => ({ kind: "done" }),
  };
}

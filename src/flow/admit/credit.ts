/** The ledger as admission sees it. */
import { lockCredit } from "#flow/ledger/accounts.ts";
import { placeHold } from "#flow/ledger/holds.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";

import type { Credit } from "./lease.ts";

export const ledgerCredit: Credit = {
  available: async (tx, tenantId) => (await lockCredit(tx, tenantId)).available,
  hold: async (tx, { tenantId, requestId, amount, at }) => {
    const outcome = await placeHold(tx, tenantId, {
      reference: requestId,
      amount,
      description: "First hour",
      at,
    });
    if (outcome.kind === "held") return;
    throw new Failure(
      "insufficient_credit",
      `${formatFen(outcome.asked)} CNY is to be held and ${formatFen(outcome.available)} is available. Top up and try again.`,
    );
  },
};

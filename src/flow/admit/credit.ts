/** The ledger as admission sees it. Jobs may be paid by packages, and so may what is held for them. */
import { openPurse, writeHolds } from "#flow/ledger/purse.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";

import type { Credit } from "./work.ts";

export const ledgerCredit: Credit = {
  open: async (tx, { tenantId, kind, at }) => {
    const from = kind === "job" ? "packages" : "wallet";
    const purse = await openPurse(tx, tenantId, { at, from });
    return {
      available: () => purse.available(),
      hold: (requestId, amount) => {
        if (purse.take({ reference: requestId, amount, description: "First hour" })) return;
        throw new Failure(
          "insufficient_credit",
          `${formatFen(amount)} CNY is to be held and ${formatFen(purse.available())} is available. Top up and try again.`,
        );
      },
      settle: () => writeHolds(tx, tenantId, purse),
    };
  },
};

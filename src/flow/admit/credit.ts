/** The ledger as admission sees it. Jobs may be paid by packages, and so may what is held for them. */
import { lockCredit } from "#flow/ledger/accounts.ts";
import { placeHold, placeHoldOnPackages } from "#flow/ledger/holds.ts";
import { packageRoom } from "#flow/ledger/package-holds.ts";
import { Failure } from "#kernel/failure.ts";
import { addFen, formatFen, zeroFen } from "#kernel/money.ts";

import type { Credit } from "./lease.ts";

export const ledgerCredit: Credit = {
  available: async (tx, { tenantId, kind, at }) => {
    const { available } = await lockCredit(tx, tenantId);
    const room = kind === "job" ? await packageRoom(tx, tenantId, at) : zeroFen;
    // What is owed is no matter of what packages pay.
    return room > 0n && available < 0n ? room : addFen(available, room);
  },
  hold: async (tx, { tenantId, requestId, kind, amount, at }) => {
    const place = kind === "job" ? placeHoldOnPackages : placeHold;
    const outcome = await place(tx, tenantId, {
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

/** Balance, top-ups, journals. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { amountOf } from "#api/routes/wire.ts";
import type { Operations } from "#contract/operations.ts";
import type * as billing from "#contract/schemas/billing.ts";
import { burnPerHour } from "#flow/admit/burn.ts";
import { credit, openPackages, type PackageCredit } from "#flow/ledger/accounts.ts";
import type { Credit } from "#flow/ledger/decide.ts";
import { listJournals, recordTopUp, type Journal } from "#flow/ledger/store.ts";
import { addFen, formatFen, sumFen, type Fen } from "#kernel/money.ts";

export const getBalance: Handler<Operations["getBalance"]> = async (_input, { tx, tenantId }) =>
  // At once, so that it is one round trip.
  showBalance(
    ...(await Promise.all([
      credit(tx, tenantId),
      openPackages(tx, tenantId),
      burnPerHour(tx, tenantId),
    ])),
  );

export const createTopUp: Handler<Operations["createTopUp"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  const { journal } = await recordTopUp(tx, tenantId, {
    reference: body.reference,
    amount: amountOf(body.amount),
    at: context.now(),
  });
  context.note({ target: tenantId, details: { amount: body.amount, reference: body.reference } });
  tx.nudge("balance");
  const balance = showBalance(
    await credit(tx, tenantId),
    await openPackages(tx, tenantId),
    await burnPerHour(tx, tenantId),
  );
  return { journal: showJournal(journal), balance };
};

export const listJournalsHandler: Handler<Operations["listJournals"]> = (
  { query },
  { tx, tenantId },
) =>
  pageOf(query, {
    load: (ask) => listJournals(tx, tenantId, ask),
    show: showJournal,
    positionOf: (journal) => ({ at: journal.at, id: journal.id }),
  });

function showBalance(
  { balance, provisional, held, uncovered, owed, available }: Credit,
  packages: readonly PackageCredit[],
  hourly: Fen,
): z.output<typeof billing.balance> {
  return {
    currency: "CNY",
    balance: formatFen(balance),
    provisional: formatFen(provisional),
    // What packages no longer cover of their holds is as good as held in the wallet.
    held: formatFen(addFen(held, uncovered)),
    owed: formatFen(owed),
    available: formatFen(available),
    packages: {
      principal: formatFen(sumFen(packages.map(({ principal }) => principal))),
      bonus: formatFen(sumFen(packages.map(({ bonus }) => bonus))),
    },
    burnPerHour: formatFen(hourly),
  };
}

export function showJournal(journal: Journal): z.output<typeof billing.journal> {
  return {
    id: journal.id,
    kind: journal.kind,
    at: new Date(journal.at).toISOString(),
    description: journal.description,
    postings: journal.postings.map((posting) => ({
      ...posting,
      amount: formatFen(posting.amount),
    })),
  };
}

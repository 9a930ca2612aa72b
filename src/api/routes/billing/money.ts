/** Balance, top-ups, journals. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { amountOf } from "#api/routes/wire.ts";
import type { Operations } from "#contract/operations.ts";
import type * as billing from "#contract/schemas/billing.ts";
import type { Queryable } from "#db/pool.ts";
import { burnPerHour } from "#flow/admit/burn.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { listJournals, recordTopUp, type Journal } from "#flow/ledger/store.ts";
import { formatFen } from "#kernel/money.ts";

export const getBalance: Handler<Operations["getBalance"]> = (_input, { tx, tenantId }) =>
  balanceOf(tx, tenantId);

export const createTopUp: Handler<Operations["createTopUp"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  const { journal } = await recordTopUp(tx, tenantId, {
    reference: body.reference,
    amount: amountOf(body.amount),
    at: context.now(),
  });
  context.note({ target: tenantId, details: { amount: body.amount, reference: body.reference } });
  await tx.nudge("balance");
  return { journal: showJournal(journal), balance: await balanceOf(tx, tenantId) };
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

async function balanceOf(
  db: Queryable,
  tenantId: string,
): Promise<z.output<typeof billing.balance>> {
  const { balance, provisional, held, available } = await credit(db, tenantId);
  return {
    currency: "CNY",
    balance: formatFen(balance),
    provisional: formatFen(provisional),
    held: formatFen(held),
    available: formatFen(available),
    burnPerHour: formatFen(await burnPerHour(db, tenantId)),
  };
}

function showJournal(journal: Journal): z.output<typeof billing.journal> {
  return {
    id: journal.id,
    kind: journal.kind,
    at: new Date(journal.at).toISOString(),
    description: journal.description,
    postings: journal.postings.map(({ account, amount }) => ({
      account,
      amount: formatFen(amount),
    })),
  };
}

/** The whole book for the operator: journals, payments and invoices of all tenants, and its check. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageByAge, pageOf } from "#api/page.ts";
import { showPayment } from "#api/routes/payments/payments.ts";
import { time } from "#api/routes/wire.ts";
import type { ledgerCheck } from "#contract/schemas/books.ts";
import type { Queryable } from "#db/pool.ts";
import { invoicesOfAll } from "#flow/invoice/everybody.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { bookSums, journalsOfAll } from "#flow/ledger/everybody.ts";
import { tenantNames } from "#identity/tenants.ts";
import { localMonth } from "#kernel/calendar.ts";
import { formatFen, sumFen } from "#kernel/money.ts";
import { heldForNothing } from "#orders/held-for-nothing.ts";
import { paymentsOfAll } from "#payments/everybody.ts";

import { showInvoice } from "./invoices.ts";
import { showJournal } from "./money.ts";

export const bookHandlers = {
  listAllJournals: ({ query }, { tx }) => {
    const { since, until, tenantId, kind, account } = query;
    return pageOf(query, {
      load: (ask) =>
        journalsOfAll(tx, {
          ...ask,
          tenantId,
          kind,
          account,
          since: since === undefined ? undefined : Date.parse(since),
          until: until === undefined ? undefined : Date.parse(until),
        }),
      show: (each) => ({ ...showJournal(each), tenantId: each.tenantId, tenant: each.tenant }),
      positionOf: ({ at, id }) => ({ at, id }),
    });
  },

  listAllPayments: ({ query }, { tx }) =>
    pageByAge(
      query,
      (ask) => paymentsOfAll(tx, { ...ask, tenantId: query.tenantId, state: query.state }),
      (each) => ({ ...showPayment(each), tenantId: each.tenantId, tenant: each.tenant }),
    ),

  listAllInvoices: ({ query }, { tx }) => {
    const { tenantId, kind, state } = query;
    const month = query.month === undefined ? undefined : localMonth(query.month);
    return pageOf(query, {
      load: (ask) => invoicesOfAll(tx, { ...ask, tenantId, kind, state, month }),
      show: (each) => ({ ...showInvoice(each), tenantId: each.tenantId, tenant: each.tenant }),
      positionOf: ({ finalizedAt, id }) => ({ at: finalizedAt, id }),
    });
  },

  checkLedger: {
    waits: true,
    handle: async (_input, { db, now }) => {
      const checkedAt = time(now());
      const sums = await bookSums(db);
      const problems = await checkLedger(db);
      const held = await heldForNothing(db);
      const names = await namesOf(db, [...problems, ...held]);
      const shown = (finding: Finding): ShownFinding => ({
        ...finding,
        tenant: names.get(finding.tenantId) ?? finding.tenantId,
      });
      return {
        checkedAt,
        tenants: sums.tenants,
        journals: sums.journals,
        postings: sums.postings,
        accounts: sums.accounts.map((each) => ({ ...each, balance: formatFen(each.balance) })),
        sum: formatFen(sumFen(sums.accounts.map(({ balance }) => balance))),
        problems: problems.map(shown),
        heldForNothing: held.map(shown),
      };
    },
  },
} satisfies Partial<Handlers>;

interface Finding {
  readonly tenantId: string;
  readonly problem: string;
}
type ShownFinding = z.output<typeof ledgerCheck>["problems"][number];

function namesOf(db: Queryable, found: readonly Finding[]): Promise<ReadonlyMap<string, string>> {
  return tenantNames(db, [...new Set(found.map(({ tenantId }) => tenantId))]);
}

/** Invoices, their money states and their documents. */
import { z } from "zod";

import type { Context, Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { loadPriceBook } from "#catalog/price-profiles.ts";
import { chargeLine, statement as statementSchema } from "#contract/schemas/billing.ts";
import type { invoice as invoiceSchema } from "#contract/schemas/billing.ts";
import type { Queryable } from "#db/pool.ts";
import { noDescription } from "#flow/invoice/decide.ts";
import { grouped } from "#flow/invoice/group.ts";
import {
  findInvoice,
  invoiceDocument,
  listInvoices,
  type Invoice,
} from "#flow/invoice/invoices.ts";
import { unclosedState } from "#flow/invoice/settle.ts";
import { readStatement } from "#flow/invoice/statements.ts";
import { voidInvoice } from "#flow/invoice/void.ts";
import { words } from "#flow/invoice/words.ts";
import { addMonths, dayOf, monthOf, type LocalMonth } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";

import { accountOf } from "./account.ts";
import { documentBytes } from "./documents.ts";

type ShownInvoice = z.output<typeof invoiceSchema>;

export const invoiceHandlers = {
  listInvoices: async ({ query }, context) => {
    const { tx, tenantId } = context;
    const page = await pageOf(query, {
      load: (ask) => listInvoices(tx, tenantId, ask),
      show: showInvoice,
      positionOf: ({ finalizedAt, id }) => ({ at: finalizedAt, id }),
    });
    if (query.cursor !== undefined) return page;
    return { ...page, items: [...(await unclosed(context)), ...page.items] };
  },

  getInvoice: async ({ params }, { tx, tenantId }) => {
    const invoice = await invoiceOf(tx, tenantId, params.invoice);
    const document = await invoiceDocument(tx, tenantId, invoice.id);
    return { ...showInvoice(invoice), document };
  },

  exportInvoice: async ({ params, query }, context) => {
    const { format, language, by } = query;
    const { invoice, document } = await context.read(async (tx) => {
      const found = await invoiceOf(tx, context.tenantId, params.invoice);
      return {
        invoice: found,
        document: await invoiceDocument(tx, context.tenantId, found.id),
      };
    });
    if (invoice.kind !== "monthly") {
      throw new Failure("wrong_state", "A credit note has no lines; export the invoice it names.");
    }
    const say = words[language];
    return documentBytes({
      statement: grouped(closedStatement.parse(document), by),
      language,
      format,
      name: invoice.number,
      title: `${say.invoice} ${invoice.number}`,
      facts: [
        [say.dueOn, invoice.dueOn ?? ""],
        ["SHA-256", invoice.sha256 ?? ""],
      ],
      at: invoice.finalizedAt,
    });
  },

  voidInvoice: async ({ params, body }, context) => {
    const { tx, tenantId, now } = context;
    const ask = { tenantId, invoice: params.invoice, reason: body.reason, now: now() };
    const invoice = await voidInvoice(tx, ask);
    context.note({ target: invoice.id, details: { number: invoice.number, reason: body.reason } });
    tx.nudge("balance");
    return showInvoice(invoice);
  },
} satisfies Partial<Handlers>;

/** Documents of before lines said what paid them have no such fields. */
const noPayment = { package: "0.00", bonus: "0.00", balance: "0.00", owed: "0.00" };
const closedStatement = statementSchema.extend({
  lines: z.array(
    chargeLine.extend({
      kind: chargeLine.shape.kind.default("usage"),
      description: chargeLine.shape.description.default(noDescription),
      revision: z.number().int().default(0),
      paidBy: chargeLine.shape.paidBy.default(noPayment),
      leaves: chargeLine.shape.leaves.default(null),
    }),
  ),
  paidBy: statementSchema.shape.paidBy.default(noPayment),
  checkpoint: statementSchema.shape.checkpoint.default(null),
});

async function invoiceOf(db: Queryable, tenantId: string, text: string): Promise<Invoice> {
  const invoice = await findInvoice(db, tenantId, text);
  if (invoice === undefined) throw new Failure("not_found", "There is no such invoice.");
  return invoice;
}

/** This month, and the last one while its days are not all posted. */
async function unclosed({ tx, tenantId, now }: Context): Promise<ShownInvoice[]> {
  const { name, zone } = await accountOf(tx, tenantId);
  const today = dayOf(zone, now());
  const thisMonth = monthOf(today);
  const [newest] = await listInvoices(tx, tenantId, { after: undefined, limit: 1 });
  const prices = await loadPriceBook(tx);
  const shown: ShownInvoice[] = [];
  for (const month of [thisMonth, addMonths(thisMonth, -1)]) {
    if (newest !== undefined && month <= newest.period) continue;
    const range = { kind: "billed", month } as const;
    // oxlint-disable-next-line no-await-in-loop -- one connection
    const statement = await readStatement(tx, prices, {
      tenant: { id: tenantId, name },
      timeZone: zone,
      range,
    });
    if (statement.lines.length === 0 && month !== thisMonth) continue;
    shown.push(showUnclosed(month, unclosedState(month, today), statement));
  }
  return shown;
}

function showUnclosed(
  period: LocalMonth,
  state: "open" | "draft",
  { total, net, vat }: { readonly total: string; readonly net: string; readonly vat: string },
): ShownInvoice {
  return {
    id: null,
    kind: "monthly",
    number: null,
    period,
    state,
    gross: total,
    net,
    vat,
    outstanding: "0.00",
    dueOn: null,
    finalizedAt: null,
    paidAt: null,
    voids: null,
    reason: null,
    sha256: null,
  };
}

export function showInvoice(invoice: Invoice): ShownInvoice {
  return {
    id: invoice.id,
    kind: invoice.kind,
    number: invoice.number,
    period: invoice.period,
    state: invoice.state ?? "final",
    gross: formatFen(invoice.gross),
    net: formatFen(invoice.net),
    vat: formatFen(invoice.vat),
    outstanding: formatFen(invoice.outstanding),
    dueOn: invoice.dueOn,
    finalizedAt: time(invoice.finalizedAt),
    paidAt: timeOrNull(invoice.paidAt),
    voids: invoice.voidsId,
    reason: invoice.reason,
    sha256: invoice.sha256,
  };
}

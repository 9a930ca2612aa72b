/**
 * Takes an invoice back: a credit note names it, its money is given back, and it is void. All of it or
 * nothing; the second time is harmless.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { recordCredit } from "#flow/ledger/store.ts";
import { Failure } from "#kernel/failure.ts";
import { parseFen, subtractFen, type Fen } from "#kernel/money.ts";
import { notify } from "#notices/store.ts";

import { findInvoice, insertCreditNote, invoiceDocument, type Invoice } from "./invoices.ts";

/** The invoice as it is then. Throws `not_found`, and `wrong_state` for what is no invoice. */
export async function voidInvoice(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    /** Id or number. */
    readonly invoice: string;
    readonly reason: string;
    readonly now: number;
  },
): Promise<Invoice> {
  const { tenantId, reason, now } = ask;
  const invoice = await findInvoice(tx, tenantId, ask.invoice);
  if (invoice === undefined) throw new Failure("not_found", "There is no such invoice.");
  if (invoice.kind !== "monthly") {
    throw new Failure("wrong_state", "A credit note cannot be voided; it takes an invoice back.");
  }
  if (!(await insertCreditNote(tx, { tenantId, invoice, reason, now }))) return invoice;
  const amount = await givenBack(tx, tenantId, invoice);
  if (amount > 0n) {
    const reference = `invoice ${invoice.number}`;
    await recordCredit(tx, tenantId, { reference, amount, reason, at: now });
  }
  await notify(tx, {
    tenantId,
    key: `invoice-void:${invoice.id}`,
    kind: "invoice_void",
    severity: "info",
    data: { invoice: invoice.number, reason },
    at: now,
  });
  return (await findInvoice(tx, tenantId, invoice.id)) ?? invoice;
}

const paidSchema = z.object({
  paidBy: z.object({ bonus: z.string().transform((text) => parseFen(text)) }),
});

/** All but what a bonus paid: a bonus is never money (R-PKG-7). */
async function givenBack(tx: Tx, tenantId: string, { id, gross }: Invoice): Promise<Fen> {
  const document = paidSchema.safeParse(await invoiceDocument(tx, tenantId, id));
  return document.success ? subtractFen(gross, document.data.paidBy.bonus) : gross;
}

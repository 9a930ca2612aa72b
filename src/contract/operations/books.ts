import { operation } from "#contract/operation.ts";
import * as books from "#contract/schemas/books.ts";
import { page } from "#contract/schemas/common.ts";

export const bookOperations = {
  listAllJournals: operation({
    method: "GET",
    path: "/v1/all-journals",
    summary: "For the operator: movements of money of all tenants, newest first",
    tag: "billing",
    permission: "platform.read",
    query: books.journalsQuery,
    result: page(books.journalOfTenant),
  }),
  listAllPayments: operation({
    method: "GET",
    path: "/v1/all-payments",
    summary: "For the operator: payments of all tenants, newest first",
    tag: "payments",
    permission: "platform.read",
    query: books.paymentsQuery,
    result: page(books.paymentOfTenant),
  }),
  listAllInvoices: operation({
    method: "GET",
    path: "/v1/all-invoices",
    summary: "For the operator: closed invoices and credit notes of all tenants, newest first",
    tag: "billing",
    permission: "platform.read",
    query: books.invoicesQuery,
    result: page(books.invoiceOfTenant),
  }),
  checkLedger: operation({
    method: "GET",
    path: "/v1/ledger/check",
    summary: "For the operator: whether the whole book balances, and what is held for nothing",
    tag: "billing",
    permission: "platform.read",
    result: books.ledgerCheck,
  }),
};

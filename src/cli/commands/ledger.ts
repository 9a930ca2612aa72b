/** `ledger journals|payments|invoices|check`: the money of all tenants, for the operator. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { money, none, safe, shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import * as books from "#contract/schemas/books.ts";
import { Failure } from "#kernel/failure.ts";

const journalColumns: readonly Column<ItemOf<"listAllJournals">>[] = [
  { title: "TIME", cell: (item) => time(item.at) },
  { title: "TENANT", cell: (item) => item.tenant },
  { title: "KIND", cell: (item) => item.kind },
  { title: "DESCRIPTION", cell: (item) => item.description },
  {
    title: "POSTINGS",
    cell: (item) =>
      item.postings.map((posting) => `${posting.account} ${money(posting.amount)}`).join(", "),
  },
  { title: "ID", cell: (item) => shortId(item.id) },
];

const paymentColumns: readonly Column<ItemOf<"listAllPayments">>[] = [
  { title: "TENANT", cell: (payment) => payment.tenant },
  { title: "CODE", cell: (payment) => payment.code },
  { title: "METHOD", cell: (payment) => payment.method },
  { title: "AMOUNT", cell: (payment) => money(payment.amount), right: true },
  { title: "STATE", cell: (payment) => payment.state },
  { title: "RECEIVED", cell: (payment) => money(payment.received), right: true },
  { title: "CREATED", cell: (payment) => time(payment.createdAt) },
];

const invoiceColumns: readonly Column<ItemOf<"listAllInvoices">>[] = [
  { title: "TENANT", cell: (invoice) => invoice.tenant },
  { title: "PERIOD", cell: (invoice) => invoice.period },
  { title: "NUMBER", cell: (invoice) => invoice.number ?? none },
  { title: "KIND", cell: (invoice) => invoice.kind.replaceAll("_", " ") },
  { title: "STATE", cell: (invoice) => invoice.state },
  { title: "TOTAL", cell: (invoice) => invoice.gross, right: true },
  { title: "OUTSTANDING", cell: (invoice) => invoice.outstanding, right: true },
];

const ofTenant = flag("--of <tenant>", "of this tenant only", z.string().optional());

export function addLedger(program: Command, shell: Shell): void {
  const ledger = group(program, "ledger", "For the operator: the money of all tenants");
  addJournals(ledger, shell);
  addDocuments(ledger, shell);

  define(ledger, shell, {
    usage: "check",
    summary: "Whether the whole book balances, and what is held for nothing",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("checkLedger");
      const wrong = [...value.problems, ...value.heldForNothing];
      await out.show({
        value,
        ids: wrong.map(({ problem }) => problem),
        text: () => checkText(value),
      });
      if (wrong.length > 0) throw new Failure("internal", `${wrong.length} problems were found.`);
    },
  });
}

function addJournals(ledger: Command, shell: Shell): void {
  const shape = books.journalsQuery.shape;
  define(ledger, shell, {
    usage: "journals",
    summary: "Movements of money of all tenants, newest first",
    args: noArguments,
    options: listOptions.extend({
      of: ofTenant,
      kind: flag("--kind <kind>", books.journalKind.options.join(", "), shape.kind),
      account: flag(
        "--account <account>",
        `with a posting on it: ${books.accountKind.options.join(", ")}`,
        shape.account,
      ),
      since: flag("--since <time>", "from this instant on", shape.since),
      until: flag("--until <time>", "before this instant", shape.until),
    }),
    examples: ["millrace ledger journals --of acme --account cash --since 2026-05-01T00:00:00Z"],
    act: async (session, _args, { limit, of, ...filters }) => {
      const query = { ...filters, ...(await tenantQuery(session, of)) };
      const found = await collect(session.client.items("listAllJournals", { query }), { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(journalColumns, found, "No money has moved."),
      });
    },
  });
}

function addDocuments(ledger: Command, shell: Shell): void {
  define(ledger, shell, {
    usage: "payments",
    summary: "Payments of all tenants, newest first",
    args: noArguments,
    options: listOptions.extend({
      of: ofTenant,
      state: flag(
        "--state <state>",
        "created, pending, settled, failed or canceled",
        books.paymentsQuery.shape.state,
      ),
    }),
    act: async (session, _args, { limit, of, ...filters }) => {
      const query = { ...filters, ...(await tenantQuery(session, of)) };
      const found = await collect(session.client.items("listAllPayments", { query }), { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(paymentColumns, found, "No payments."),
      });
    },
  });

  const shape = books.invoicesQuery.shape;
  define(ledger, shell, {
    usage: "invoices",
    summary: "Closed invoices and credit notes of all tenants, newest first",
    args: noArguments,
    options: listOptions.extend({
      of: ofTenant,
      month: flag("--month <month>", "such as 2026-05", shape.month),
      kind: flag("--kind <kind>", "monthly or credit_note", shape.kind),
      state: flag("--state <state>", "final, paid, overdue or void", shape.state),
    }),
    examples: ["millrace ledger invoices --state overdue"],
    act: async (session, _args, { limit, of, ...filters }) => {
      const query = { ...filters, ...(await tenantQuery(session, of)) };
      const found = await collect(session.client.items("listAllInvoices", { query }), { limit });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.number ?? item.period),
        text: () => listText(invoiceColumns, found, "No invoices."),
      });
    },
  });
}

async function tenantQuery(
  session: Session,
  of: string | undefined,
): Promise<{ readonly tenantId?: string }> {
  return of === undefined ? {} : { tenantId: await resolve(session, kinds.tenant, of) };
}

function checkText(check: AnswerOf<"checkLedger">): string {
  const head = fields([
    ["Tenants", String(check.tenants)],
    ["Journals", String(check.journals)],
    ["Postings", String(check.postings)],
    ["Sum of all accounts", money(check.sum)],
  ]);
  const accounts = table(
    [
      { title: "ACCOUNT", cell: (each) => each.account },
      { title: "BALANCE", cell: (each) => each.balance, right: true },
    ],
    check.accounts,
  );
  const wrong = [...check.problems, ...check.heldForNothing];
  const verdict =
    wrong.length === 0
      ? "The book balances, and what is held is held for something.\n"
      : wrong.map((each) => `${safe(each.tenant)}: ${safe(each.problem)}\n`).join("");
  return `${head}\n${accounts}\n${verdict}`;
}

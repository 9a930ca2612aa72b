/** `statement`, and `invoice list|show|export|void`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { pour, saveTo } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { periodOptions, periodQuery } from "#cli/period.ts";
import type { Session } from "#cli/session.ts";
import { fields, type Column } from "#cli/table.ts";
import { bytes, money, none, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { granularity } from "#contract/schemas/billing.ts";
import { Failure } from "#kernel/failure.ts";

const columns: readonly Column<ItemOf<"listInvoices">>[] = [
  { title: "PERIOD", cell: (invoice) => invoice.period },
  { title: "NUMBER", cell: (invoice) => invoice.number ?? none },
  { title: "KIND", cell: (invoice) => invoice.kind.replaceAll("_", " ") },
  { title: "STATE", cell: (invoice) => invoice.state },
  { title: "TOTAL", cell: (invoice) => invoice.gross, right: true },
  { title: "OUTSTANDING", cell: (invoice) => invoice.outstanding, right: true },
  { title: "DUE", cell: (invoice) => invoice.dueOn ?? none },
];

const documentOptions = z.object({
  format: flag(
    "--format <format>",
    "text (default), csv, xlsx, pdf or json",
    z.enum(["text", "csv", "xlsx", "pdf", "json"]).optional(),
  ),
  language: flag(
    "--language <language>",
    "en or zh-CN (default: your locale's)",
    z.enum(["en", "zh-CN"]).optional(),
  ),
  by: flag("--by <period>", "line (default), day, week or month", granularity.default("line")),
  to: flag("--to <path>", "where to write it ('-' is stdout)", z.string().optional()),
  force: flag("--force", "replace an existing file", z.boolean().default(false)),
});

export function addStatement(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "statement",
    summary: "What is charged, by day and SKU; this month unless told otherwise",
    args: noArguments,
    options: periodOptions.extend(documentOptions.shape),
    examples: [
      "millrace statement --month 2026-05",
      "millrace statement --by week --format csv > may.csv",
      "millrace statement --format pdf --to may.pdf",
    ],
    act: async (session, _args, { format, language, by, to, force, month, from, through }) => {
      const { client, out, environment, signal } = session;
      const query = periodQuery({ month, from, through });
      const wanted = format ?? (out.format === "json" ? "json" : "text");
      if (wanted === "json") {
        const value = await client.call("getStatement", { query });
        await out.write(`${JSON.stringify(value, null, 2)}\n`);
        return;
      }
      const asked = { ...query, by, format: wanted, language: language ?? environment.language };
      const answer = await client.bytes("exportStatement", { query: asked }, { signal });
      await deliver(session, answer.chunks, { format: wanted, to, force });
    },
  });
}

export function addInvoices(program: Command, shell: Shell): void {
  const invoice = group(program, "invoice", "Closed months and credit notes");

  define(invoice, shell, {
    usage: "list",
    alias: "ls",
    summary: "Invoices, newest first; the month that is not closed yet on top",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listInvoices"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.number ?? item.period),
        text: () => listText(columns, found, "No invoices."),
      });
    },
  });

  define(invoice, shell, {
    usage: "show <number>",
    summary: "An invoice, by number or id",
    args: oneArgument,
    options: noOptions,
    act: async ({ client, out }, [text]) => {
      const value = await client.call("getInvoice", { params: { invoice: text } });
      await out.show({ value, ids: [value.number ?? text], text: () => invoiceText(value) });
    },
  });

  define(invoice, shell, {
    usage: "export <number>",
    summary: "The document of an invoice",
    args: oneArgument,
    options: documentOptions,
    examples: ["millrace invoice export MR-2026-05-1a2b3c4d --format pdf --to may.pdf"],
    act: async (session, [text], { format, language, by, to, force }) => {
      const { client, environment, signal } = session;
      const params = { invoice: text };
      const wanted = format ?? "text";
      if (wanted === "json") {
        const { document } = await client.call("getInvoice", { params });
        await session.out.write(`${JSON.stringify(document, null, 2)}\n`);
        return;
      }
      const query = { by, format: wanted, language: language ?? environment.language };
      const answer = await client.bytes("exportInvoice", { params, query }, { signal });
      await deliver(session, answer.chunks, { format: wanted, to, force });
    },
  });

  define(invoice, shell, {
    usage: "void <number>",
    summary: "For the operator: take an invoice back with a credit note; its money is given back",
    args: oneArgument,
    options: z.object({
      reason: flag("--reason <text>", "why; the customer reads it", z.string()),
    }),
    act: async ({ client, out }, [text], body) => {
      const value = await client.call("voidInvoice", { params: { invoice: text }, body });
      await out.show({ value, ids: [value.number ?? text], text: () => invoiceText(value) });
    },
  });
}

/** To a file, or to stdout; a workbook or a PDF never onto a terminal. */
async function deliver(
  { out }: Session,
  chunks: AsyncIterable<Uint8Array>,
  ask: { readonly format: string; readonly to: string | undefined; readonly force: boolean },
): Promise<void> {
  const { format, to, force } = ask;
  if (to !== undefined && to !== "-") {
    const size = await saveTo(to, chunks, { force });
    await out.show({
      value: { file: to, bytes: size },
      ids: [to],
      text: () => `Wrote ${bytes(size)} to ${to}.\n`,
    });
    return;
  }
  if (to === undefined && ["xlsx", "pdf"].includes(format) && process.stdout.isTTY) {
    throw new Failure("invalid_request", `Say where the ${format} file goes: --to FILE.`);
  }
  await pour(out, chunks);
}

function invoiceText(invoice: Omit<AnswerOf<"getInvoice">, "document">): string {
  return fields([
    ["Invoice", invoice.number ?? invoice.period],
    ["Kind", invoice.kind.replaceAll("_", " ")],
    ["Period", invoice.period],
    ["State", invoice.state],
    ["Total", money(invoice.gross)],
    ["Net", money(invoice.net)],
    ["VAT", money(invoice.vat)],
    ["Outstanding", money(invoice.outstanding)],
    ["Due on", invoice.dueOn ?? undefined],
    ["Closed", invoice.finalizedAt === null ? undefined : time(invoice.finalizedAt)],
    ["Paid", invoice.paidAt === null ? undefined : time(invoice.paidAt)],
    ["Reason", invoice.reason ?? undefined],
    ["SHA-256", invoice.sha256 ?? undefined],
  ]);
}

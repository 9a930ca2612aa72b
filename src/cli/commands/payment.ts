/**
 * `payment list|show|cancel` for customers; `payment confirm|receipts|resolve|refund` for the
 * operator, who reads the bank's statement.
 */
import { setTimeout as wait } from "node:timers/promises";

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
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve, type Kind } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields, type Column } from "#cli/table.ts";
import { money, none, shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

type Payment = AnswerOf<"getPayment">;
type Receipt = ItemOf<"listBankReceipts">;

/** How long `top-up` waits to be told what the payer does next. */
const nextStepWaitMs = 5_000;
const lookMs = 200;

const paymentKind: Kind = {
  noun: "payment",
  list: "millrace payment list",
  all: async function* ({ client }) {
    for await (const { id, code, state, createdAt } of client.items("listPayments")) {
      yield { id, name: code, state, createdAt };
    }
  },
};

const receiptKind: Kind = {
  noun: "bank receipt",
  list: "millrace payment receipts",
  all: async function* ({ client }) {
    const query = { state: "all" } as const;
    for await (const receipt of client.items("listBankReceipts", { query })) {
      yield { ...receipt, name: receipt.bankReference };
    }
  },
};

const paymentColumns: readonly Column<Payment>[] = [
  { title: "CODE", cell: (payment) => payment.code },
  { title: "METHOD", cell: (payment) => payment.method },
  { title: "AMOUNT", cell: (payment) => money(payment.amount), right: true },
  { title: "STATE", cell: (payment) => payment.state },
  { title: "RECEIVED", cell: (payment) => money(payment.received), right: true },
  { title: "CREATED", cell: (payment) => time(payment.createdAt) },
  { title: "ID", cell: (payment) => shortId(payment.id) },
];

const receiptColumns: readonly Column<Receipt>[] = [
  { title: "ARRIVED", cell: (receipt) => receipt.receivedOn },
  { title: "BANK REFERENCE", cell: (receipt) => receipt.bankReference },
  { title: "CODE", cell: (receipt) => receipt.code || none },
  { title: "AMOUNT", cell: (receipt) => money(receipt.amount), right: true },
  { title: "STATE", cell: (receipt) => receipt.state },
  { title: "WHY", cell: (receipt) => receipt.reason ?? none },
  {
    title: "TENANT",
    cell: (receipt) => (receipt.tenantId === null ? none : shortId(receipt.tenantId)),
  },
  { title: "ID", cell: (receipt) => shortId(receipt.id) },
];

export function addPayments(program: Command, shell: Shell): void {
  const payment = group(program, "payment", "Payments on their way, and what arrived at the bank");
  addOwn(payment, shell);
  addReceipts(payment, shell);
}

function addOwn(payment: Command, shell: Shell): void {
  define(payment, shell, {
    usage: "list",
    alias: "ls",
    summary: "Payments, newest first",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listPayments"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () =>
          listText(paymentColumns, found, "No payments. Make one: millrace top-up --method"),
      });
    },
  });

  define(payment, shell, {
    usage: "show <payment>",
    summary: "One payment, and what is to be done",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const paymentId = await resolve(session, paymentKind, text);
      const value = await session.client.call("getPayment", { params: { paymentId } });
      await session.out.show({ value, ids: [value.id], text: () => paymentText(value) });
    },
  });

  define(payment, shell, {
    usage: "cancel <payment>",
    summary: "Give up a payment that was not made",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const paymentId = await resolve(session, paymentKind, text);
      const value = await session.client.call("cancelPayment", { params: { paymentId } });
      await session.out.show({ value, ids: [value.id], text: () => paymentText(value) });
    },
  });

  define(payment, shell, {
    usage: "refund <payment> <amount>",
    summary: "For the operator: pay money of the wallet back the way it came",
    args: z.tuple([z.string(), z.string()]),
    options: z.object({ reason: flag("--reason <text>", "the customer reads it", z.string()) }),
    examples: ["millrace --tenant acme payment refund MR-7K3P-2Q9X 100 --reason 'account closed'"],
    act: async (session, [text, amount], { reason }) => {
      const paymentId = await resolve(session, paymentKind, text);
      const params = { paymentId };
      const value = await session.client.call("refundPayment", {
        params,
        body: { amount, reason },
      });
      await session.out.show({ value, ids: [value.id], text: () => paymentText(value) });
    },
  });
}

function addReceipts(payment: Command, shell: Shell): void {
  define(payment, shell, {
    usage: "confirm <code> <amount>",
    summary: "For the operator: record a transfer that arrived at the bank",
    args: z.tuple([z.string(), z.string()]),
    options: z.object({
      bankReference: flag("--bank-reference <text>", "the bank's own reference", z.string()),
      receivedOn: flag("--received-on <day>", "the bank's day, e.g. 2026-05-04", z.string()),
    }),
    examples: [
      "millrace payment confirm MR-7K3P-2Q9X 1000 --bank-reference 20260504-17 --received-on 2026-05-04",
    ],
    more: "What is not exactly what a payment waits for goes to suspense: see `payment receipts`.",
    act: async ({ client, out }, [code, amount], options) => {
      const value = await client.call("createBankReceipt", { body: { code, amount, ...options } });
      await out.show({ value, ids: [value.id], text: () => receiptText(value) });
    },
  });

  define(payment, shell, {
    usage: "receipts",
    summary: "For the operator: transfers in suspense, newest first",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that were booked or sent back", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const query = { state: all ? "all" : "suspense" } as const;
      const found = await collect(client.items("listBankReceipts", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(receiptColumns, found, "Nothing is in suspense."),
      });
    },
  });

  define(payment, shell, {
    usage: "resolve <receipt>",
    summary: "For the operator: give a transfer in suspense to a tenant, or say it was sent back",
    args: oneArgument,
    options: z.object({
      assignTo: flag("--assign-to <tenant>", "book it whole to this tenant", z.string().optional()),
      return: flag("--return", "it was transferred back", z.boolean().default(false)),
      note: flag("--note <text>", "why", z.string()),
    }),
    examples: ["millrace payment resolve 20260504-17 --assign-to acme --note 'wrote no code'"],
    act: async (session, [text], { assignTo, return: isReturned, note }) => {
      if ((assignTo === undefined) !== isReturned) {
        throw new Failure("invalid_request", "Either --assign-to TENANT or --return.");
      }
      const params = { receiptId: await resolve(session, receiptKind, text) };
      const body =
        assignTo === undefined
          ? ({ action: "return", note } as const)
          : ({
              action: "assign",
              tenantId: await resolve(session, kinds.tenant, assignTo),
              note,
            } as const);
      const value = await session.client.call("resolveBankReceipt", { params, body });
      await session.out.show({ value, ids: [value.id], text: () => receiptText(value) });
    },
  });
}

/** Says what to do next: at once for most, else within a moment. */
export async function announcePayment(
  { client, out }: Session,
  body: { readonly amount: string; readonly method: Payment["method"] },
): Promise<void> {
  let value = await client.call("createPayment", { body });
  const deadline = performance.now() + nextStepWaitMs;
  while (value.state === "created" && performance.now() < deadline) {
    await wait(lookMs);
    value = await client.call("getPayment", { params: { paymentId: value.id } });
  }
  await out.show({ value, ids: [value.id], text: () => paymentText(value) });
}

function paymentText(payment: Payment): string {
  const { next, state } = payment;
  const isWaiting = state === "created" || state === "pending";
  const step = next === null || !isWaiting ? "" : next.kind === "redirect" ? next.url : next.text;
  const shown = fields([
    ["Payment", payment.code],
    ["Amount", money(payment.amount)],
    ["State", payment.failure === null ? state : `${state}: ${payment.failure}`],
    ["Received", money(payment.received)],
    ["Paid back", money(payment.refunded)],
    ["ID", payment.id],
  ]);
  return step === "" ? shown : `${shown}\n${step}\n`;
}

function receiptText(receipt: Receipt): string {
  return fields([
    ["Bank reference", receipt.bankReference],
    ["Amount", money(receipt.amount)],
    ["State", receipt.reason === null ? receipt.state : `${receipt.state}: ${receipt.reason}`],
    ["ID", receipt.id],
  ]);
}

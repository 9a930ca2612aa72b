/** Money: `balance`, `top-up`, `usage`, `journal`. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, listOptions, noArguments, oneArgument, type Shell } from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { periodOptions, periodQuery } from "#cli/period.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { bytes, money, none, shortId, time, yesNo } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { language } from "#contract/schemas/notices.ts";
import { paymentMethod } from "#contract/schemas/payments.ts";
import { Failure } from "#kernel/failure.ts";

import { announcePayment } from "./payment.ts";
import { addUsage } from "./usage.ts";

const usageColumns: readonly Column<ItemOf<"listUsage">>[] = [
  { title: "FROM", cell: (item) => time(item.from) },
  { title: "UNTIL", cell: (item) => (item.until === null ? "running" : time(item.until)) },
  { title: "SECONDS", cell: (item) => item.seconds, right: true },
  { title: "SKU", cell: (item) => item.sku },
  { title: "UNITS", cell: unitsCell, right: true },
  { title: "BILLED", cell: (item) => yesNo(item.billable) },
  { title: "RESOURCE", cell: (item) => shortId(item.resourceId) },
  { title: "END", cell: (item) => item.endReason ?? none },
];

const journalColumns: readonly Column<ItemOf<"listJournals">>[] = [
  { title: "TIME", cell: (item) => time(item.at) },
  { title: "KIND", cell: (item) => item.kind },
  { title: "DESCRIPTION", cell: (item) => item.description },
  {
    title: "POSTINGS",
    cell: (item) =>
      item.postings.map((posting) => `${posting.account} ${money(posting.amount)}`).join(", "),
  },
  { title: "ID", cell: (item) => shortId(item.id) },
];

const spoken = flag(
  "--language <language>",
  "en or zh-CN; as your terminal where nothing is said",
  language.optional(),
);

export function addBilling(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "balance",
    summary: "What is left, what is held of it, what runs per hour, and where that leads",
    args: noArguments,
    options: z.object({ language: spoken }),
    act: async ({ client, environment, out }, _args, { language: asked }) => {
      const value = await client.call("getBalance");
      const query = { language: asked ?? environment.language };
      const standing = await client.call("getStanding", { query });
      await out.show({
        value: { ...value, standing },
        ids: [value.available],
        text: () => `${balanceText(value)}\n${standing.text}\n`,
      });
    },
  });

  define(program, shell, {
    usage: "standing",
    summary: "Where you stand when money runs low: the stage, what comes next, and what to pay",
    args: noArguments,
    options: z.object({ language: spoken }),
    act: async ({ client, environment, out }, _args, { language: asked }) => {
      const query = { language: asked ?? environment.language };
      const value = await client.call("getStanding", { query });
      await out.show({ value, ids: [value.stage], text: () => standingTable(value) });
    },
  });

  define(program, shell, {
    usage: "top-up <amount>",
    summary: "Pay money in; or, for the operator, record what was received for a tenant",
    args: oneArgument,
    options: z.object({
      method: flag(
        "--method <method>",
        "how you pay: bank_transfer, or test where it is offered",
        paymentMethod.optional(),
      ),
      reference: flag(
        "--reference <text>",
        "for the operator: the bank's or your own reference of a payment that is there",
        z.string().optional(),
      ),
    }),
    examples: [
      "millrace top-up 1000 --method bank_transfer",
      "millrace --tenant acme top-up 100 --reference 'transfer 4711'",
    ],
    act: async (session, [amount], { reference, method }) => {
      const { client, out } = session;
      if ((reference === undefined) === (method === undefined)) {
        throw new Failure(
          "invalid_request",
          "Say how you pay (--method bank_transfer), or, as the operator, which payment is there (--reference).",
        );
      }
      if (method !== undefined) {
        await announcePayment(session, { amount, method });
        return;
      }
      if (reference === undefined) return;
      const value = await client.call("createTopUp", { body: { amount, reference } });
      await out.show({
        value,
        ids: [value.journal.id],
        text: () => `Recorded as ${value.journal.id}.\n${balanceText(value.balance)}`,
      });
    },
  });

  const usage = define(program, shell, {
    usage: "usage",
    summary: "What was used, to the second; this month unless told otherwise",
    args: noArguments,
    options: listOptions.extend(periodOptions.shape),
    examples: ["millrace usage", "millrace usage --from 2026-05-04 --through 2026-05-04"],
    act: async ({ client, out }, _args, { limit, ...period }) => {
      const query = periodQuery(period);
      const { totals } = await client.call("listUsage", { query: { ...query, limit: 1 } });
      const found = await collect(client.items("listUsage", { query }), { limit });
      await out.show({
        value: { items: found.items, totals },
        ids: found.items.map((item) => item.id),
        text: () =>
          found.items.length === 0
            ? "Nothing was used.\n"
            : `${listText(usageColumns, found, "")}\n${totalsText(totals)}`,
      });
    },
  });
  addUsage(usage, shell);

  define(program, shell, {
    usage: "journal",
    summary: "Movements of money, newest first",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listJournals"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(journalColumns, found, "No money has moved."),
      });
    },
  });
}

/** Of storage, the units are bytes. */
function unitsCell({ sku, units }: ItemOf<"listUsage">): string {
  return sku.startsWith("storage") ? bytes(Number(units)) : units;
}

function balanceText(balance: AnswerOf<"getBalance">): string {
  return fields([
    ["Balance", money(balance.balance)],
    ["Used, not yet charged", money(balance.provisional)],
    ["Held", money(balance.held)],
    ["Owed", money(balance.owed)],
    ["Available", money(balance.available)],
    ["Packages, for jobs", packagesText(balance.packages)],
    ["Runs per hour", money(balance.burnPerHour)],
  ]);
}

function standingTable(standing: AnswerOf<"getStanding">): string {
  const { since, next } = standing;
  return `${standing.text}\n\n${fields([
    ["Stage", standing.stage],
    ["Since", since === null ? none : time(since)],
    ["Next", next === null ? none : `${next.stage}, ${time(next.at)}`],
    ["Left", money(standing.left)],
    ["Runs per hour", money(standing.burnPerHour)],
    ["Pay to leave it", money(standing.toLeave)],
    ["Pay for all to be well", money(standing.toBeWell)],
  ])}`;
}

function packagesText({ principal, bonus }: AnswerOf<"getBalance">["packages"]): string {
  return `${money(principal)} and ${money(bonus)} bonus`;
}

function totalsText(totals: AnswerOf<"listUsage">["totals"]): string {
  return table(
    [
      { title: "TOTAL OF", cell: (total) => total.sku },
      { title: "QUANTITY", cell: (total) => total.quantity, right: true },
      { title: "UNIT", cell: (total) => total.unit },
    ],
    totals,
  );
}

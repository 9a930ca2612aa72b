/** `review`, and for the operator `customer list`, `task list|finish` and `revenue`. */
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
import { fields, table, type Column } from "#cli/table.ts";
import { money, none, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { customerFilter as filter } from "#contract/schemas/insights.ts";
import { language } from "#contract/schemas/notices.ts";

const taskColumns: readonly Column<ItemOf<"listCustomerTasks">>[] = [
  { title: "SINCE", cell: (task) => time(task.createdAt) },
  { title: "CUSTOMER", cell: (task) => task.tenant },
  { title: "SIGN", cell: (task) => task.kind.replaceAll("_", " ") },
  { title: "WHY", cell: (task) => task.text },
  { title: "DONE", cell: (task) => (task.doneAt === null ? none : time(task.doneAt)) },
  { title: "ID", cell: (task) => task.id },
];

const customerColumns: readonly Column<ItemOf<"listCustomers">>[] = [
  { title: "NAME", cell: (each) => each.name },
  { title: "DISPLAY NAME", cell: (each) => each.displayName },
  { title: "STATE", cell: (each) => each.state },
  { title: "TIER", cell: (each) => (each.isTierByHand ? `${each.tier} (by hand)` : each.tier) },
  { title: "STANDING", cell: (each) => each.stage.replaceAll("_", " ") },
  { title: "AVAILABLE", cell: (each) => each.available, right: true },
  { title: "THIS MONTH", cell: (each) => each.spentThisMonth, right: true },
  {
    title: "SIGNS",
    cell: (each) => each.signs.map((sign) => sign.replaceAll("_", " ")).join(", ") || none,
  },
];

export function addReview(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "review <period>",
    summary:
      "What you used in a month or a quarter, beside the one before, and what would be cheaper",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace review 2026-05", "millrace review 2026-Q2"],
    act: async ({ client, out }, [period]) => {
      const value = await client.call("getUsageReview", { params: { period } });
      await out.show({ value, ids: [value.total], text: () => reviewText(value) });
    },
  });
}

export function addInsights(program: Command, shell: Shell): void {
  const customer = group(program, "customer", "For the operator: customers and how they are");

  define(customer, shell, {
    usage: "list",
    alias: "ls",
    summary: "Customers with tier, standing, money, this month and signs, newest first",
    args: noArguments,
    options: listOptions.extend({
      name: flag("--name <part>", "whose name has this", filter.nameHas),
      tier: flag("--tier <tier>", "normal, gold or diamond", filter.tier),
      state: flag("--state <state>", "active or suspended", filter.state),
      stage: flag("--stage <stage>", "of the ladder; low: all but ok", filter.stage),
      sign: flag("--sign <sign>", "with an open task of this kind, or any", filter.sign),
    }),
    examples: ["millrace customer list --stage low", "millrace customer list --sign any"],
    act: async ({ client, out }, _args, { limit, name, tier, state, stage, sign }) => {
      const query = {
        ...(name === undefined ? {} : { nameHas: name }),
        ...(tier === undefined ? {} : { tier }),
        ...(state === undefined ? {} : { state }),
        ...(stage === undefined ? {} : { stage }),
        ...(sign === undefined ? {} : { sign }),
      };
      const found = await collect(client.items("listCustomers", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(customerColumns, found, "No customers."),
      });
    },
  });

  const task = group(program, "task", "For the operator: customers to look after");

  define(task, shell, {
    usage: "list",
    summary: "Customers who go away, whose terms end, who are near a tier, whose review is due",
    args: noArguments,
    options: listOptions.extend({
      language: flag(
        "--language <language>",
        "en or zh-CN; as your terminal where nothing is said",
        language.optional(),
      ),
      all: flag("--all", "finished ones too", z.boolean().default(false)),
    }),
    act: async ({ client, environment, out }, _args, { limit, all, language: asked }) => {
      const state = all ? ("all" as const) : ("open" as const);
      const query = { state, language: asked ?? environment.language };
      const found = await collect(client.items("listCustomerTasks", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(taskColumns, found, "Nobody needs looking after."),
      });
    },
  });

  define(task, shell, {
    usage: "finish <id>",
    summary: "Say what was done",
    args: oneArgument,
    options: z.object({ note: flag("--note <text>", "what was done", z.string()) }),
    act: async ({ client, out }, [taskId], body) => {
      const value = await client.call("finishCustomerTask", { params: { taskId }, body });
      await out.show({ value, ids: [value.id], text: () => table(taskColumns, [value]) });
    },
  });

  define(program, shell, {
    usage: "revenue",
    summary: "For the operator: revenue today and by month, active customers, average, cohorts",
    args: noArguments,
    options: z.object({
      from: flag("--from <month>", "first month (default: a year)", z.string().optional()),
      through: flag("--through <month>", "last month (default: this one)", z.string().optional()),
    }),
    examples: ["millrace revenue --from 2026-01 --through 2026-06"],
    act: async ({ client, out }, _args, { from, through }) => {
      const query = {
        ...(from === undefined ? {} : { from }),
        ...(through === undefined ? {} : { through }),
      };
      const value = await client.call("getRevenue", { query });
      await out.show({
        value,
        ids: value.months.map((each) => each.revenue),
        text: () => revenueText(value),
      });
    },
  });
}

function reviewText(review: AnswerOf<"getUsageReview">): string {
  const head = fields([
    ["Period", `${review.from} – ${review.through}`],
    ["Total", money(review.total)],
    ["Before", money(review.totalBefore)],
    ["Change", money(review.change)],
    [
      "Busiest day",
      review.busiest === null ? undefined : `${review.busiest.day}, ${review.busiest.amount}`,
    ],
    ["Days without use", String(review.daysWithoutUse)],
  ]);
  const list = table(
    [
      { title: "SKU", cell: (each) => each.sku },
      { title: "QUANTITY", cell: (each) => each.quantity, right: true },
      { title: "UNIT", cell: (each) => each.unit },
      { title: "AMOUNT", cell: (each) => each.amount, right: true },
      { title: "BEFORE", cell: (each) => each.amountBefore, right: true },
    ],
    review.skus,
  );
  const advice = review.advice.map(
    (each) =>
      `At this pace the package ${each.code} (${money(each.price)}) would save ${money(each.saves)}.\n`,
  );
  return `${head}\n${review.skus.length === 0 ? "Nothing was used.\n" : list}${advice.join("")}`;
}

function revenueText({ today, months, cohorts }: AnswerOf<"getRevenue">): string {
  const now = `Today ${today.day}: ${money(today.revenue)} of ${today.active} active customers.\n`;
  if (months.length === 0) return `${now}No revenue.\n`;
  const byMonth = table(
    [
      { title: "MONTH", cell: (each) => each.month },
      { title: "REVENUE", cell: (each) => each.revenue, right: true },
      { title: "ACTIVE", cell: (each) => each.active, right: true },
      { title: "AVERAGE", cell: (each) => each.arpu, right: true },
      { title: "REGISTERED", cell: (each) => each.registered, right: true },
    ],
    months,
  );
  const byCohort = table(
    [
      { title: "REGISTERED IN", cell: (each) => each.cohort },
      { title: "CUSTOMERS", cell: (each) => each.size, right: true },
      {
        title: "ACTIVE (REVENUE)",
        cell: (each) =>
          each.months.map((cell) => `${cell.month}: ${cell.active} (${cell.revenue})`).join("  "),
      },
    ],
    cohorts,
  );
  return `${now}\n${byMonth}\n${byCohort}`;
}

/** `service offers|support|bundle|ask|list|show|accept|cancel`; for the operator `to-do|offer|finish`. */
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
import { agreedAmount, purchaseOptions } from "#cli/order-quote.ts";
import { resolve, type Kind } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { because, money, none, shortId, time, yesNo } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";

type Service = AnswerOf<"getService">;
type Offers = AnswerOf<"listServiceOffers">;

const serviceKind: Kind = {
  noun: "service",
  list: "millrace service list",
  all: async function* ({ client }) {
    for await (const { id, kind, state, askedAt } of client.items("listServices")) {
      yield { id, name: kind, state, createdAt: askedAt };
    }
  },
  over: ["ended"],
};

const columns: readonly Column<Service>[] = [
  { title: "SERVICE", cell: (each) => each.code ?? each.kind },
  { title: "STATE", cell: (each) => each.state },
  { title: "WHAT", cell: (each) => each.description },
  { title: "AMOUNT", cell: (each) => money(each.amount), right: true },
  { title: "UNTIL", cell: (each) => time(each.paidUntil ?? each.offerUntil) },
  { title: "ID", cell: (each) => shortId(each.id) },
];

const customerColumns: readonly Column<ItemOf<"listAllServices">>[] = [
  { title: "CUSTOMER", cell: (each) => each.tenant },
  ...columns,
  { title: "TO DO", cell: (each) => each.optimizationsLeft, right: true },
];

const bundleColumns: readonly Column<Offers["bundles"][number]>[] = [
  { title: "BUNDLE", cell: (each) => each.code },
  { title: "PRICE", cell: (each) => money(each.price), right: true },
  { title: "ONE BY ONE", cell: (each) => money(each.separately), right: true },
  { title: "SUPPORT MONTHS", cell: (each) => each.supportMonths, right: true },
  { title: "OPTIMIZATIONS", cell: (each) => each.optimizations, right: true },
  { title: "WHAT", cell: (each) => each.description },
];

export function addServices(program: Command, shell: Shell): void {
  const service = group(program, "service", "24x7 support, model optimization, bundles");

  define(service, shell, {
    usage: "offers",
    summary: "What can be had, with your prices",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("listServiceOffers");
      await out.show({
        value,
        ids: value.bundles.map(({ code }) => code),
        text: () => offersText(value),
      });
    },
  });

  define(service, shell, {
    usage: "support",
    summary: "Order 24x7 support, paid by the month in advance",
    args: noArguments,
    options: purchaseOptions.extend({
      once: flag("--once", "one month only", z.boolean().default(false)),
    }),
    act: async (session, _args, options) => {
      const kind = "support_24x7";
      const expectedAmount = await agreedAmount(session, { kind }, options);
      const body = { kind, autoRenew: !options.once, expectedAmount } as const;
      await showOne(session, await session.client.call("orderService", { body }));
    },
  });

  define(service, shell, {
    usage: "bundle <code>",
    summary: "Order services that are sold together",
    args: oneArgument,
    options: purchaseOptions,
    act: async (session, [code], options) => {
      const kind = "bundle";
      const expectedAmount = await agreedAmount(session, { kind, code }, options);
      const body = { kind, code, expectedAmount } as const;
      await showOne(session, await session.client.call("orderService", { body }));
    },
  });

  define(service, shell, {
    usage: "ask <description>",
    summary: "Ask for a model optimization; you get an offer",
    args: oneArgument,
    options: noOptions,
    examples: ["millrace service ask 'Twice the throughput of our 7B model on A10'"],
    act: async (session, [description]) => {
      const body = { kind: "model_optimization", description } as const;
      await showOne(session, await session.client.call("orderService", { body }));
    },
  });

  define(service, shell, {
    usage: "list",
    alias: "ls",
    summary: "Services, newest first; those that are over only with --all",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that are over", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const keep = ({ state }: Service): boolean => all || state !== "ended";
      const found = await collect(client.items("listServices"), { limit, keep });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No services. See millrace service offers."),
      });
    },
  });

  define(service, shell, {
    usage: "show <service>",
    summary: "One service",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const serviceId = await resolve(session, serviceKind, text);
      await showOne(session, await session.client.call("getService", { params: { serviceId } }));
    },
  });

  define(service, shell, {
    usage: "accept <service>",
    summary: "Accept an offer; it is charged now",
    args: oneArgument,
    options: purchaseOptions,
    act: async (session, [text], options) => {
      const serviceId = await resolve(session, serviceKind, text);
      const quoted = { kind: "offer", serviceId } as const;
      const expectedAmount = await agreedAmount(session, quoted, options);
      const ask = { params: { serviceId }, body: { expectedAmount } };
      await showOne(session, await session.client.call("acceptService", ask));
    },
  });

  define(service, shell, {
    usage: "cancel <service>",
    summary: "Decline an offer, or let support end with its paid month",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const serviceId = await resolve(session, serviceKind, text);
      await showOne(session, await session.client.call("cancelService", { params: { serviceId } }));
    },
  });

  define(service, shell, {
    usage: "to-do",
    summary: "For the operator: what customers asked for or paid, and is not done",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "everything of all customers", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const query = { state: all ? ("all" as const) : ("to_do" as const) };
      const found = await collect(client.items("listAllServices", { query }), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(customerColumns, found, "Nothing is to be done."),
      });
    },
  });

  define(service, shell, {
    usage: "offer <service>",
    summary: "For the operator: what an engagement costs",
    args: oneArgument,
    options: z.object({
      amount: flag("--amount <yuan>", "within the range of the price list", z.string()),
      until: flag("--until <time>", "RFC 3339, such as 2027-01-01T00:00:00+08:00", z.string()),
    }),
    examples: [
      "millrace --tenant acme service offer 0198c3d2 --amount 8000 --until 2027-01-01T00:00:00+08:00",
    ],
    act: async (session, [text], body) => {
      const serviceId = await resolve(session, serviceKind, text);
      const ask = { params: { serviceId }, body };
      await showOne(session, await session.client.call("offerService", ask));
    },
  });

  define(service, shell, {
    usage: "finish <service>",
    summary: "For the operator: an engagement is done, or given back",
    args: oneArgument,
    options: z.object({
      refund: flag("--refund", "it was not done: give it back", z.boolean().default(false)),
      note: flag("--note <text>", "what the customer reads", z.string()),
    }),
    act: async (session, [text], { refund, note }) => {
      const serviceId = await resolve(session, serviceKind, text);
      const body = { outcome: refund ? "refunded" : "done", note } as const;
      const value = await session.client.call("finishService", { params: { serviceId }, body });
      await session.out.show({
        value,
        ids: [value.service.id],
        text: () => serviceText(value.service),
      });
    },
  });
}

function offersText({ support24x7, modelOptimization, bundles }: Offers): string {
  const { monthly, listPrice } = support24x7;
  const head = fields([
    [
      "24x7 support",
      `${money(monthly)} a month${monthly === listPrice ? "" : `, list price ${money(listPrice)}`}`,
    ],
    ["Model optimization", `${money(modelOptimization.from)} to ${money(modelOptimization.to)}`],
  ]);
  return bundles.length === 0 ? head : `${head}\n${table(bundleColumns, bundles)}`;
}

async function showOne({ out }: Session, value: Service): Promise<void> {
  await out.show({ value, ids: [value.id], text: () => serviceText(value) });
}

function serviceText(value: Service): string {
  return fields([
    ["Service", value.code ?? value.kind],
    ["What", value.description],
    ["State", value.state],
    ["Amount", value.amount === null ? none : money(value.amount)],
    ["Offered until", value.offerUntil === null ? undefined : time(value.offerUntil)],
    ["Paid until", value.paidUntil === null ? undefined : time(value.paidUntil)],
    ["Renewed each month", value.kind === "support_24x7" ? yesNo(value.autoRenew) : undefined],
    ["To be done", value.optimizationsLeft === 0 ? undefined : `${value.optimizationsLeft}`],
    ["Reason", value.reason === null ? undefined : because(value.reason)],
    ["Asked", time(value.askedAt)],
    ["Id", value.id],
  ]);
}

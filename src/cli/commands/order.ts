/** `order quote|list`: what something would cost, against the other ways; what was charged. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, group, listOptions, noArguments, type Shell } from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { quoteOptions, quoteText, type QuoteBody } from "#cli/order-quote.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Session } from "#cli/session.ts";
import type { Column } from "#cli/table.ts";
import { shortId, time } from "#cli/text.ts";
import { sizeGib } from "#cli/values.ts";
import type { ItemOf } from "#client/types.ts";
import { language } from "#contract/schemas/notices.ts";
import { term } from "#contract/schemas/orders.ts";
import { Failure } from "#kernel/failure.ts";

const itemColumns: readonly Column<ItemOf<"listOrderItems">>[] = [
  { title: "TIME", cell: (item) => time(item.at) },
  { title: "KIND", cell: (item) => (item.refundOf === null ? item.kind : `${item.kind} refund`) },
  { title: "WHAT", cell: (item) => item.description },
  { title: "AMOUNT", cell: (item) => item.amount, right: true },
  { title: "BILLED IN", cell: (item) => item.billedMonth },
  { title: "FOR", cell: (item) => shortId(item.subjectId) },
];

const quoted = z.enum([
  "package",
  "subscription",
  "renewal",
  "upgrade",
  "expansion",
  "support",
  "bundle",
]);
const units = z.coerce.number().int().min(0).max(1024).default(0);

const whatOptions = quoteOptions.extend({
  flavor: flag("--flavor <name>", "of a subscription, renewal or upgrade", z.string().optional()),
  term: flag("--term <term>", "monthly (default), quarterly or annual", term.optional()),
  gpus: flag("--gpus <n>", "of an expansion", units),
  vcpus: flag("--vcpus <n>", "of an expansion", units),
  memory: flag("--memory <size>", "of an expansion, such as 64GiB", sizeGib.optional()),
  days: flag("--days <n>", "of an expansion (default 1)", z.coerce.number().int().default(1)),
});

export function addOrders(program: Command, shell: Shell): void {
  const order = group(program, "order", "What orders would cost, and what was charged for them");

  define(order, shell, {
    usage: "quote <kind> [of]",
    summary: "What it would cost by hour, day, month and term, and what would be cheaper when",
    args: z.tuple([quoted, z.string().optional()]),
    options: whatOptions,
    more: "Kinds: package <code>, subscription, renewal|upgrade|expansion <subscription>, support, bundle <code>",
    examples: [
      "millrace order quote package P5000",
      "millrace order quote subscription --flavor a100.1 --term annual --language zh-CN",
      "millrace order quote expansion train --gpus 1 --days 3",
    ],
    act: async (session, [kind, of], options) => {
      const body = await bodyOf(session, { kind, of }, options);
      const value = await session.client.call("quoteOrder", { body });
      await session.out.show({
        value,
        ids: [value.amount],
        text: () => quoteText(value, options.language ?? session.environment.language),
      });
    },
  });

  define(order, shell, {
    usage: "list",
    alias: "ls",
    summary: "Items of orders, newest first",
    args: noArguments,
    options: listOptions.extend({
      language: flag("--language <language>", "en (default) or zh-CN", language.default("en")),
    }),
    act: async ({ client, out }, _args, { limit, language: in_ }) => {
      const items = client.items("listOrderItems", { query: { language: in_ } });
      const found = await collect(items, { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(itemColumns, found, "Nothing was ordered."),
      });
    },
  });
}

async function bodyOf(
  session: Session,
  what: { readonly kind: z.output<typeof quoted>; readonly of: string | undefined },
  options: z.output<typeof whatOptions>,
): Promise<QuoteBody> {
  const { kind } = what;
  const named = (noun: string): string => {
    if (what.of !== undefined) return what.of;
    throw new Failure(
      "invalid_request",
      `Say which ${noun}: millrace order quote ${kind} <${noun}>.`,
    );
  };
  const flavor = (): string => {
    if (options.flavor !== undefined) return options.flavor;
    throw new Failure("invalid_request", "--flavor is needed: see 'millrace offers'.");
  };
  const subscriptionId = (): Promise<string> =>
    resolve(session, kinds.subscription, named("subscription"));
  switch (kind) {
    case "package":
    case "bundle":
      return { kind, code: named("code") };
    case "support":
      return { kind: "support_24x7" };
    case "subscription":
      return { kind, flavor: flavor(), term: options.term ?? "monthly" };
    case "renewal":
      return {
        kind,
        subscriptionId: await subscriptionId(),
        ...(options.term === undefined ? {} : { term: options.term }),
        ...(options.flavor === undefined ? {} : { flavor: options.flavor }),
      };
    case "upgrade":
      return { kind, subscriptionId: await subscriptionId(), flavor: flavor() };
    case "expansion": {
      const { gpus, vcpus, days, memory = 0 } = options;
      const id = await subscriptionId();
      return { kind, subscriptionId: id, gpus, vcpus, memoryGiB: memory, days };
    }
  }
}

/** `expansion order|list|show|extend|release`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { agreedAmount, purchaseOptions } from "#cli/order-quote.ts";
import { kinds, resolve, type Kind } from "#cli/resolve.ts";
import { table, type Column } from "#cli/table.ts";
import { money, shortId, time } from "#cli/text.ts";
import { sizeGib } from "#cli/values.ts";
import { waitFor, waitOptions } from "#cli/waiting.ts";
import type { AnswerOf } from "#client/types.ts";

type Expansion = AnswerOf<"getExpansion">;

const columns: readonly Column<Expansion>[] = [
  { title: "STATE", cell: (each) => each.state },
  {
    title: "UNITS",
    cell: (each) => each.items.map(({ sku, units }) => `${units} x ${sku}`).join(", "),
  },
  { title: "DAYS", cell: (each) => each.days, right: true },
  { title: "AMOUNT", cell: (each) => money(each.amount), right: true },
  { title: "FROM", cell: (each) => time(each.activatedAt ?? each.startsAt) },
  { title: "UNTIL", cell: (each) => time(each.endsAt) },
  { title: "ID", cell: (each) => each.id },
];

/** Told apart by id only. */
const expansionKind: Kind = {
  noun: "expansion",
  list: "millrace expansion list",
  all: async function* ({ client }) {
    for await (const { id, state, orderedAt } of client.items("listExpansions")) {
      yield { id, name: id, state, createdAt: orderedAt };
    }
  },
};

const days = flag("--days <n>", "days of 24 hours", z.coerce.number().int().min(1).max(366));
const units = z.coerce.number().int().min(0).max(1024).default(0);

export function addExpansions(program: Command, shell: Shell): void {
  const expansion = group(program, "expansion", "More for a subscription's machine, by the day");

  define(expansion, shell, {
    usage: "order <subscription>",
    summary: "Add GPUs, CPUs or memory for some days; charged when they are there",
    args: oneArgument,
    options: purchaseOptions.extend({
      ...waitOptions.shape,
      days,
      gpus: flag("--gpus <n>", "GPUs of the machine's model", units),
      vcpus: flag("--vcpus <n>", "CPUs", units),
      memory: flag("--memory <size>", "memory, such as 64GiB", sizeGib.optional()),
    }),
    examples: ["millrace expansion order train --gpus 1 --vcpus 16 --memory 64GiB --days 3"],
    act: async (session, [text], options) => {
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const { gpus, vcpus } = options;
      const ask = { gpus, vcpus, memoryGiB: options.memory ?? 0, days: options.days };
      const quoted = { kind: "expansion", subscriptionId, ...ask } as const;
      const expectedAmount = await agreedAmount(session, quoted, options);
      const ordered = await session.client.call("orderExpansion", {
        params: { subscriptionId },
        body: { ...ask, expectedAmount },
      });
      if (options.wait) {
        await waitFor(session, ordered.operation, {
          timeoutSeconds: options.timeout,
          what: `${text} is being expanded`,
        });
      }
      const params = { expansionId: ordered.expansion.id };
      await showOne(session, await session.client.call("getExpansion", { params }));
    },
  });

  define(expansion, shell, {
    usage: "list",
    alias: "ls",
    summary: "Expansions, newest first; those that are over only with --all",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that are over", z.boolean().default(false)),
      subscription: flag(
        "--subscription <subscription>",
        "only of this one",
        z.string().optional(),
      ),
    }),
    act: async (session, _args, { limit, all, subscription }) => {
      const query =
        subscription === undefined
          ? {}
          : { subscriptionId: await resolve(session, kinds.subscription, subscription) };
      const keep = ({ state }: Expansion): boolean => all || state !== "ended";
      const items = session.client.items("listExpansions", { query });
      const found = await collect(items, { limit, keep });
      await session.out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No expansions."),
      });
    },
  });

  define(expansion, shell, {
    usage: "show <expansion>",
    summary: "One expansion, and when the machine was seen without it",
    args: oneArgument,
    options: z.object({}),
    act: async (session, [text]) => {
      const params = { expansionId: await resolve(session, expansionKind, text) };
      await showOne(session, await session.client.call("getExpansion", { params }));
    },
  });

  define(expansion, shell, {
    usage: "extend <expansion>",
    summary: "Order the same again, from its end on",
    args: oneArgument,
    options: purchaseOptions.extend({ days }),
    act: async (session, [text], options) => {
      const expansionId = await resolve(session, expansionKind, text);
      const quoted = { kind: "extension", expansionId, days: options.days } as const;
      const expectedAmount = await agreedAmount(session, quoted, options);
      const value = await session.client.call("extendExpansion", {
        params: { expansionId },
        body: { days: options.days, expectedAmount },
      });
      await showOne(session, value);
    },
  });

  define(expansion, shell, {
    usage: "release <expansion>",
    summary: "End it now; days that have not begun are given back",
    args: oneArgument,
    options: z.object({}),
    act: async (session, [text]) => {
      const expansionId = await resolve(session, expansionKind, text);
      const params = { expansionId };
      const value = await session.client.call("releaseExpansion", { params });
      await session.out.show({
        value,
        ids: [value.expansion.id],
        text: () =>
          `Released ${shortId(value.expansion.id)}; ${money(value.refund)} went back to the balance.\n`,
      });
    },
  });
}

async function showOne({ out }: Parameters<typeof resolve>[0], value: Expansion): Promise<void> {
  const shown = [
    ...columns,
    { title: "GONE SINCE", cell: (each: Expansion) => time(each.revertedAt) },
  ];
  await out.show({ value, ids: [value.id], text: () => table(shown, [value]) });
}

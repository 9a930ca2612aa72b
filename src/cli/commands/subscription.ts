/** `subscription order|list|show|renew|upgrade|auto-renew|cancel`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  manyFlag,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { readTextFile } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { agreedAmount, agreedQuote, purchaseOptions } from "#cli/order-quote.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { confirmed } from "#cli/terminal.ts";
import { because, money, none, shape, shortId, time, yesNo } from "#cli/text.ts";
import { sizeGib } from "#cli/values.ts";
import { waitFor, waitOptions } from "#cli/waiting.ts";
import type { AnswerOf } from "#client/types.ts";
import { term } from "#contract/schemas/orders.ts";
import { Failure } from "#kernel/failure.ts";

type Subscription = AnswerOf<"getSubscription">;

const columns: readonly Column<Subscription>[] = [
  { title: "NAME", cell: (each) => each.name },
  { title: "STATE", cell: (each) => each.state },
  { title: "WHAT", cell: (each) => each.sku },
  { title: "TERM", cell: (each) => each.term },
  { title: "PAID UNTIL", cell: (each) => time(each.paidUntil) },
  { title: "AUTO-RENEW", cell: (each) => yesNo(each.autoRenew) },
  { title: "ID", cell: (each) => shortId(each.id) },
];

const periodColumns: readonly Column<Subscription["periods"][number]>[] = [
  { title: "TERM", cell: (period) => `${period.number} ${period.term}` },
  { title: "FROM", cell: (period) => time(period.from) },
  { title: "UNTIL", cell: (period) => time(period.until) },
  { title: "WHAT", cell: (period) => `${period.sku}: ${shape(period.flavor)}` },
];

const termOption = flag("--term <term>", "monthly, quarterly or annual", term.optional());

export function addSubscriptions(program: Command, shell: Shell): void {
  const subscription = group(program, "subscription", "Machines by the month or year, paid ahead");

  define(subscription, shell, {
    usage: "order <name>",
    summary: "Rent a machine for a term; charged when it is ready",
    args: oneArgument,
    options: purchaseOptions.extend({
      ...waitOptions.shape,
      flavor: flag("--flavor <name>", "what to rent; see 'millrace offers'", z.string()),
      term: flag("--term <term>", "monthly, quarterly or annual", term),
      autoRenew: flag(
        "--auto-renew",
        "renew it by itself at each end while the balance suffices",
        z.boolean().default(false),
      ),
      renews: flag(
        "--renews <subscription>",
        "one that was released after its term, ordered anew",
        z.string().optional(),
      ),
      image: flag("--image <name>", "what it starts from (default tiny)", z.string().optional()),
      disk: flag("--disk <size>", "a larger disk, such as 1000GiB", sizeGib.optional()),
      sshKey: manyFlag(
        "--ssh-key <key>",
        "an SSH key that it accepts; may be repeated (default: all of yours)",
        z.array(z.string()).optional(),
      ),
      userData: flag("--user-data <file>", "cloud-init user data", z.string().optional()),
    }),
    examples: [
      "millrace subscription order train --flavor a100.1 --term monthly",
      "millrace subscription order lab --flavor a100.2 --term annual --yes",
    ],
    act: async (session, [name], options) => {
      const { flavor, image, disk, sshKey, userData, autoRenew } = options;
      const renewsId =
        options.renews === undefined
          ? undefined
          : await resolve(session, kinds.subscription, options.renews);
      const again = renewsId === undefined ? {} : { renewsId };
      const quoted = { kind: "subscription", flavor, term: options.term, ...again } as const;
      const expectedAmount = await agreedAmount(session, quoted, options);
      const ordered = await session.client.call("orderSubscription", {
        body: {
          name,
          flavor,
          term: options.term,
          autoRenew,
          expectedAmount,
          ...again,
          ...(image === undefined ? {} : { image }),
          ...(disk === undefined ? {} : { diskGiB: disk }),
          ...(sshKey === undefined ? {} : { sshKeys: sshKey }),
          ...(userData === undefined ? {} : { userData: await readTextFile(userData) }),
        },
      });
      if (options.wait) {
        await waitFor(session, ordered.operation, {
          timeoutSeconds: options.timeout,
          what: `${name} is being created`,
        });
      }
      const params = { subscriptionId: ordered.subscription.id };
      await showOne(session, await session.client.call("getSubscription", { params }));
    },
  });

  define(subscription, shell, {
    usage: "list",
    alias: "ls",
    summary: "Subscriptions, newest first; those that ended only with --all",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that ended", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const keep = ({ state }: Subscription): boolean => all || state !== "ended";
      const found = await collect(client.items("listSubscriptions"), { limit, keep });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () =>
          listText(columns, found, "No subscriptions. Order one: millrace subscription order"),
      });
    },
  });

  define(subscription, shell, {
    usage: "show <subscription>",
    summary: "One subscription with its paid terms",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const params = { subscriptionId };
      await showOne(session, await session.client.call("getSubscription", { params }));
    },
  });

  define(subscription, shell, {
    usage: "renew <subscription>",
    summary: "Pay the next term, from the old end on",
    args: oneArgument,
    options: purchaseOptions.extend({
      term: termOption,
      flavor: flag("--flavor <name>", "another size from the next term on", z.string().optional()),
    }),
    act: async (session, [text], options) => {
      const { term: next, flavor } = options;
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const change = {
        ...(next === undefined ? {} : { term: next }),
        ...(flavor === undefined ? {} : { flavor }),
      };
      const quoted = { kind: "renewal", subscriptionId, ...change } as const;
      const quote = await agreedQuote(session, quoted, options);
      const value = await session.client.call("renewSubscription", {
        params: { subscriptionId },
        body: {
          expectedAmount: quote.amount,
          ...(quote.from === null ? {} : { expectedFrom: quote.from }),
          ...change,
        },
      });
      await showOne(session, value);
    },
  });

  define(subscription, shell, {
    usage: "upgrade <subscription>",
    summary: "A larger size for the rest of the term",
    more: "Its disk grows to that of the flavor and stays so; storage is charged by use.\n",
    args: oneArgument,
    options: purchaseOptions.extend({
      ...waitOptions.shape,
      flavor: flag("--flavor <name>", "the larger size", z.string()),
    }),
    act: async (session, [text], options) => {
      const { flavor } = options;
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const quoted = { kind: "upgrade", subscriptionId, flavor } as const;
      const expectedAmount = await agreedAmount(session, quoted, options);
      const params = { subscriptionId };
      const changed = await session.client.call("upgradeSubscription", {
        params,
        body: { flavor, expectedAmount },
      });
      if (options.wait) {
        await waitFor(session, changed.operation, {
          timeoutSeconds: options.timeout,
          what: `${changed.subscription.name} is being changed`,
        });
      }
      await showOne(session, await session.client.call("getSubscription", { params }));
    },
  });

  define(subscription, shell, {
    usage: "auto-renew <subscription>",
    summary: "Renew it by itself at each end; --off for no longer",
    args: oneArgument,
    options: z.object({
      off: flag("--off", "let it end with its term", z.boolean().default(false)),
    }),
    act: async (session, [text], { off }) => {
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const value = await session.client.call("updateSubscription", {
        params: { subscriptionId },
        body: { autoRenew: !off },
      });
      await showOne(session, value);
    },
  });

  define(subscription, shell, {
    usage: "cancel <subscription>",
    summary: "End it now: its machine and disks are destroyed",
    args: oneArgument,
    options: purchaseOptions,
    more: "To let it end with its term instead: millrace subscription auto-renew --off",
    act: async (session, [text], { yes }) => {
      const { client, out, signal } = session;
      const subscriptionId = await resolve(session, kinds.subscription, text);
      const params = { subscriptionId };
      const { total } = await client.call("quoteCancel", { params });
      const question = `Ends ${text} now and destroys its disks; ${money(total)} go back to the balance. Sure?`;
      if (!yes && !(await confirmed(question, signal))) {
        throw new Failure("conflict", "Nothing was ended.");
      }
      const body = { expectedRefund: total };
      const value = await client.call("cancelSubscription", { params, body });
      await out.show({
        value,
        ids: [value.subscription.id],
        text: () => `Ended; ${money(value.total)} went back to the balance.\n`,
      });
    },
  });
}

async function showOne({ out }: Parameters<typeof resolve>[0], value: Subscription): Promise<void> {
  await out.show({ value, ids: [value.id], text: () => subscriptionText(value) });
}

function subscriptionText(value: Subscription): string {
  const head = fields([
    ["Name", value.name],
    ["State", value.state],
    ["What", `${value.sku}, ${value.term}`],
    ["Ordered for", money(value.amount)],
    ["Began", value.startedAt === null ? "when its machine is ready" : time(value.startedAt)],
    ["Paid until", time(value.paidUntil)],
    ["Kept until", value.keptUntil === null ? undefined : time(value.keptUntil)],
    ["Auto-renew", yesNo(value.autoRenew)],
    ["Reason", value.reason === null ? undefined : because(value.reason)],
    ["Lease", value.leaseId],
    ["Id", value.id],
  ]);
  if (value.periods.length === 0) return head;
  return `${head}\n${table(periodColumns, value.periods) || none}`;
}

/** `package buy|list|show|refund`. */
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
import { fields, type Column } from "#cli/table.ts";
import { money, shortId, time } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";

type Package = AnswerOf<"getPackage">;

/** Told apart by id; the code is the name that they share. */
const packageKind: Kind = {
  noun: "package",
  list: "millrace package list",
  all: async function* ({ client }) {
    for await (const { id, code, state, boughtAt } of client.items("listPackages")) {
      yield { id, name: code, state, createdAt: boughtAt };
    }
  },
  over: ["refunded", "expired"],
};

const packageColumns: readonly Column<Package>[] = [
  { title: "PACKAGE", cell: (each) => each.code },
  { title: "STATE", cell: (each) => each.state },
  { title: "PRINCIPAL LEFT", cell: (each) => each.left.principal, right: true },
  { title: "BONUS LEFT", cell: (each) => each.left.bonus, right: true },
  { title: "USABLE THROUGH", cell: (each) => each.usableThrough },
  { title: "BOUGHT", cell: (each) => time(each.boughtAt) },
  { title: "ID", cell: (each) => shortId(each.id) },
];

export function addPackages(program: Command, shell: Shell): void {
  const packages = group(program, "package", "Packages: credit for jobs, with a bonus and an end");

  define(packages, shell, {
    usage: "buy <code>",
    summary: "Buy a package from the balance",
    args: oneArgument,
    options: purchaseOptions,
    examples: ["millrace package buy P5000", "millrace package buy P1000 --yes --quiet"],
    act: async (session, [code], options) => {
      const expectedAmount = await agreedAmount(session, { kind: "package", code }, options);
      const body = { code, expectedAmount };
      const value = await session.client.call("buyPackage", { body });
      await session.out.show({ value, ids: [value.id], text: () => packageText(value) });
    },
  });

  define(packages, shell, {
    usage: "list",
    alias: "ls",
    summary: "Packages with what is left of them, newest first",
    args: noArguments,
    options: listOptions.extend({
      all: flag("--all", "also those that ended", z.boolean().default(false)),
    }),
    act: async ({ client, out }, _args, { limit, all }) => {
      const keep = ({ state }: Package): boolean => all || state === "usable";
      const found = await collect(client.items("listPackages"), { limit, keep });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(packageColumns, found, "No packages. Buy one: millrace package buy"),
      });
    },
  });

  define(packages, shell, {
    usage: "show <package>",
    summary: "One package",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const packageId = await resolve(session, packageKind, text);
      const value = await session.client.call("getPackage", { params: { packageId } });
      await session.out.show({ value, ids: [value.id], text: () => packageText(value) });
    },
  });

  define(packages, shell, {
    usage: "refund <package>",
    summary: "Give a package back: unused principal to the balance, the bonus is void",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const packageId = await resolve(session, packageKind, text);
      const value = await session.client.call("refundPackage", { params: { packageId } });
      const { refunded, bonusVoided } = value;
      await session.out.show({
        value,
        ids: [value.package.id],
        text: () =>
          `${money(refunded)} went back to the balance; a bonus of ${money(bonusVoided)} is void.\n`,
      });
    },
  });
}

function packageText(value: Package): string {
  return fields([
    ["Package", value.code],
    ["State", value.state],
    ["Principal left", money(value.left.principal)],
    ["Bonus left", money(value.left.bonus)],
    ["Usable", `${value.usableFrom} through ${value.usableThrough}`],
    ["Expires", time(value.expiresAt)],
    ["Bought", time(value.boughtAt)],
    ["Id", value.id],
  ]);
}

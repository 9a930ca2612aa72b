/** `contract list|set`: prices agreed with one tenant. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { table, type Column } from "#cli/table.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

type ContractPrice = AnswerOf<"setContractPrice">;

const columns: readonly Column<ContractPrice>[] = [
  { title: "SKU", cell: (each) => each.sku },
  { title: "FROM", cell: (each) => each.from },
  { title: "PRICE", cell: (each) => each.price ?? "price list", right: true },
  { title: "REASON", cell: (each) => each.reason },
];

export function addContracts(program: Command, shell: Shell): void {
  const contract = group(program, "contract", "Prices agreed in the place of the price list");

  define(contract, shell, {
    usage: "list",
    alias: "ls",
    summary: "Agreed prices by SKU and day",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("listContractPrices");
      await out.show({
        value,
        ids: value.items.map(({ sku, from }) => `${sku}@${from}`),
        text: () =>
          value.items.length === 0
            ? "None: the price list is in force.\n"
            : table(columns, value.items),
      });
    },
  });

  define(contract, shell, {
    usage: "set <sku>",
    summary: "For the operator: a price from a midnight of the tenant that is still to come",
    args: oneArgument,
    options: z.object({
      price: flag("--price <yuan>", "per unit of the price list", z.string().optional()),
      listPrice: flag("--list-price", "back to the price list", z.boolean().default(false)),
      from: flag("--from <day>", "the first day, such as 2026-06-01", z.string()),
      reason: flag("--reason <text>", "which contract says so", z.string()),
    }),
    examples: [
      "millrace --tenant acme contract set gpu.A100 --price 42.5 --from 2026-06-01 --reason 'contract 12'",
      "millrace --tenant acme contract set gpu.A100 --list-price --from 2027-06-01 --reason 'contract 12 ended'",
    ],
    act: async ({ client, out }, [sku], { price, listPrice, from, reason }) => {
      if ((price === undefined) !== listPrice) {
        throw new Failure("invalid_request", "Say either --price or --list-price.");
      }
      const body = { sku, from, reason, price: price ?? null };
      const value = await client.call("setContractPrice", { body });
      await out.show({
        value,
        ids: [`${value.sku}@${value.from}`],
        text: () => table(columns, [value]),
      });
    },
  });
}

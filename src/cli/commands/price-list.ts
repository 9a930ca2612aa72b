/** `price-list`: what everything costs now, whichever way it is bought. */
import type { Command } from "commander";

import { define, noArguments, noOptions, type Shell } from "#cli/define.ts";
import { fields, table } from "#cli/table.ts";
import { money, none, percent } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";

type PriceList = AnswerOf<"getPriceList">;

export function addPriceList(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "price-list",
    summary: "What everything costs: by use, by term, as a package, as an expansion",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const value = await client.call("getPriceList");
      await out.show({
        value,
        ids: value.metered.map(({ sku }) => sku),
        text: () => listText(value),
      });
    },
  });
}

function listText(list: PriceList): string {
  const { profile, gpuBands } = list;
  const parts = [
    fields([
      ["Price profile", `${profile.name} v${profile.version}, since ${profile.activeFrom}`],
      ["VAT included", percent(Number(list.vatRate))],
      ["Base fee", `${money(list.baseFeeMonthly)} a month`],
    ]),
    table(
      [
        { title: "BY USE", cell: (each) => each.sku },
        { title: "UNIT", cell: (each) => each.unit ?? none },
        { title: "PRICE", cell: (each) => each.price ?? "on request", right: true },
        { title: "FOR YOU", cell: forYou },
      ],
      list.metered,
    ),
    table(
      [
        { title: "GPU-HOURS A MONTH", cell: bandCell },
        { title: "TIMES THE PRICE", cell: (each) => each.multiplier, right: true },
        { title: "AND ONCE", cell: (each) => money(each.flat), right: true },
      ],
      gpuBands.bands,
    ),
    table(
      [
        { title: "BY TERM", cell: (each) => each.sku },
        { title: "FLAVORS", cell: (each) => each.flavors.join(", ") || none },
        { title: "PRICES", cell: termsCell },
      ],
      list.machines,
    ),
    table(
      [
        { title: "PACKAGE", cell: (each) => each.code },
        { title: "PRICE", cell: (each) => money(each.price), right: true },
        { title: "BONUS", cell: (each) => money(each.bonus), right: true },
        { title: "VALID", cell: (each) => `${each.validMonths} months` },
      ],
      list.packages,
    ),
    table(
      [
        { title: "EXPANSION", cell: (each) => each.sku },
        { title: "PER DAY", cell: (each) => money(each.daily), right: true },
      ],
      list.expansions,
    ),
  ];
  return `${parts.join("\n")}\nServices: millrace service offers\n`;
}

function forYou({ isAgreed, benefit }: PriceList["metered"][number]): string {
  const agreed = isAgreed ? ["agreed with you"] : [];
  if (benefit === null) return agreed.join("") || none;
  const acts =
    benefit.kind === "multiplier"
      ? `times ${benefit.multiplier}`
      : `${benefit.units} of each day free`;
  return [...agreed, acts].join(", ");
}

function bandCell({ upToHours }: PriceList["gpuBands"]["bands"][number]): string {
  return upToHours === null ? "above" : `up to ${upToHours}`;
}

function termsCell({ terms }: PriceList["machines"][number]): string {
  if (terms.length === 0) return "on request";
  return terms.map(({ term, price }) => `${term} ${money(price)}`).join(", ");
}

/** What can be had, and what it costs: `offers`, `price`, `image`. */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  manyFlag,
  noArguments,
  noOptions,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { fields, table, type Column } from "#cli/table.ts";
import { gpu, mebibytes, money, none, safe } from "#cli/text.ts";
import { sizeGib } from "#cli/values.ts";
import type { AnswerOf } from "#client/types.ts";

import { addPriceReplay } from "./price-replay.ts";

type Offer = AnswerOf<"listOffers">["items"][number];

const offerColumns: readonly Column<Offer>[] = [
  { title: "FLAVOR", cell: ({ flavor }) => flavor.name },
  { title: "VCPU", cell: ({ flavor }) => flavor.vcpus, right: true },
  { title: "MEMORY", cell: ({ flavor }) => mebibytes(flavor.memoryMiB), right: true },
  { title: "DISK", cell: ({ flavor }) => `${flavor.diskGiB} GiB`, right: true },
  { title: "GPU", cell: gpuCell },
  { title: "PER HOUR", cell: ({ price }) => priceCell(price, price.hourly), right: true },
  { title: "PER MONTH", cell: ({ price }) => priceCell(price, price.monthly), right: true },
  {
    title: "FREE",
    cell: ({ freeNow, reason }) => (reason === null ? freeNow : `${freeNow} (site away)`),
    right: true,
  },
  { title: "RUNS", cell: ({ execution }) => execution },
];

/** Why something is not free, each reason once. */
function awayLines(offers: readonly Offer[]): readonly string[] {
  const messages = new Set(
    offers.flatMap(({ reason }) => (reason === null ? [] : [reason.message])),
  );
  return [...messages].map((message) => `${safe(message)}\n`);
}

export function addCatalog(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "offers",
    summary: "What can be rented: sizes, prices, and how many fit now",
    args: noArguments,
    options: noOptions,
    examples: ["millrace offers", "millrace offers --output json | jq '.items[].flavor.name'"],
    act: async ({ client, out }) => {
      const answer = await client.call("listOffers");
      await out.show({
        value: answer,
        ids: answer.items.map(({ flavor }) => flavor.name),
        text: () =>
          answer.items.length === 0
            ? "Nothing is offered. The operator adds flavors with: millrace flavor create\n"
            : [table(offerColumns, answer.items), ...awayLines(answer.items)].join("\n"),
      });
    },
  });

  const price = define(program, shell, {
    usage: "price <flavor>",
    summary: "What a machine would cost, before it is ordered",
    args: oneArgument,
    options: z.object({
      hours: flag(
        "--hours <n>",
        "for how long (default 1)",
        z.coerce.number().int().min(1).default(1),
      ),
      disk: flag("--disk <size>", "with a larger disk, such as 100GiB", sizeGib.optional()),
    }),
    examples: ["millrace price small", "millrace price small --hours 720 --disk 100GiB"],
    act: async ({ client, environment, out }, [flavor], { hours, disk }) => {
      const quote = await client.call("quote", {
        body: { flavor, hours, ...(disk === undefined ? {} : { diskGiB: disk }) },
      });
      await out.show({
        value: quote,
        ids: [quote.total ?? ""],
        text: () => quoteText(quote, environment.language),
      });
    },
  });

  addPriceReplay(price, shell);

  const image = group(program, "image", "Images that a machine can start from");
  define(image, shell, {
    usage: "list",
    summary: "All images",
    args: noArguments,
    options: noOptions,
    act: async ({ client, out }) => {
      const answer = await client.call("listImages");
      await out.show({
        value: answer,
        ids: answer.items.map((item) => item.name),
        text: () =>
          table(
            [
              { title: "IMAGE", cell: (item) => item.name },
              { title: "STATE", cell: (item) => item.state },
              { title: "USER", cell: (item) => item.defaultUser },
              { title: "MEMORY FROM", cell: (item) => mebibytes(item.minMemoryMiB), right: true },
              { title: "DISK FROM", cell: (item) => `${item.minDiskGiB} GiB`, right: true },
              { title: "GPU DRIVER", cell: (item) => item.gpuDriver ?? none },
              { title: "FRAMEWORKS", cell: (item) => item.frameworks?.join(", ") ?? none },
              { title: "DESCRIPTION", cell: (item) => item.description },
            ],
            answer.items,
          ),
      });
    },
  });
  define(image, shell, {
    usage: "set <image>",
    summary: "For the operator: which GPU driver and which frameworks an image has",
    more: "A part of a GPU is cut for it only on hosts with a driver of the same branch.\n",
    args: oneArgument,
    options: z.object({
      gpuDriver: flag(
        "--gpu-driver <version>",
        "such as 550.54.15, or 'none'",
        z.string().optional(),
      ),
      framework: manyFlag(
        "--framework <name>",
        "pytorch or tensorflow; may be repeated",
        z.array(z.enum(["pytorch", "tensorflow"])).optional(),
      ),
    }),
    examples: ["millrace image set train --gpu-driver 550.54.15 --framework pytorch"],
    act: async ({ client, out }, [name], { gpuDriver, framework }) => {
      const value = await client.call("updateImage", {
        params: { name },
        body: {
          ...(gpuDriver === undefined
            ? {}
            : { gpuDriver: gpuDriver === "none" ? null : gpuDriver }),
          ...(framework === undefined ? {} : { frameworks: framework }),
        },
      });
      const text = (): string =>
        `${name}: GPU driver ${value.gpuDriver ?? none}, frameworks ${value.frameworks?.join(", ") ?? none}.\n`;
      await out.show({ value, ids: [value.name], text });
    },
  });
}

function gpuCell({ flavor, isolation }: Offer): string {
  if (flavor.gpu === null) return none;
  return isolation === "soft" ? `${gpu(flavor.gpu)} (soft isolation)` : gpu(flavor.gpu);
}

function priceCell(price: Offer["price"], amount: string | null): string {
  return price.status === "on_request" ? "on request" : money(amount);
}

function quoteText(quote: AnswerOf<"quote">, spoken: "en" | "zh-CN"): string {
  const { price } = quote;
  const lines = table(
    [
      { title: "SKU", cell: (line) => line.sku },
      { title: "UNITS", cell: (line) => line.units, right: true },
      { title: "UNIT", cell: (line) => line.unit },
      { title: "UNIT PRICE", cell: (line) => money(line.unitPrice), right: true },
      { title: "PER HOUR", cell: (line) => money(line.hourly), right: true },
    ],
    price.lines,
  );
  const summary = fields([
    ["Per hour", priceCell(price, price.hourly)],
    ["Per day", priceCell(price, price.daily)],
    ["Per 30 days", priceCell(price, price.monthly)],
    [`For ${quote.hours} h`, money(quote.total)],
    [
      "Base fee",
      quote.baseFeeMonthly === null ? undefined : `${money(quote.baseFeeMonthly)} a month besides`,
    ],
    ["Held when ordered", money(quote.hold)],
    ["Available", `${money(quote.available)}${quote.affordable ? "" : " (not enough)"}`],
    ...quote.cheaperIf.map(({ text }) => ["Or", text[spoken]] as const),
    ["Price profile", price.profile],
  ]);
  return `${lines}\n${summary}`;
}

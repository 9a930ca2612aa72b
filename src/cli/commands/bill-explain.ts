/** `bill explain`: a line of a bill down to its events and their entries in the metering log. */
import type { Command } from "commander";
import { z } from "zod";

import { define, noOptions, type Shell } from "#cli/define.ts";
import { fields, table } from "#cli/table.ts";
import { money, none, time } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";

export function addBillExplain(bill: Command, shell: Shell): void {
  define(bill, shell, {
    usage: "explain <day> <sku>",
    summary: "A line down to its events and their entries in the metering log",
    args: z.tuple([z.string(), z.string()]),
    options: noOptions,
    examples: ["millrace bill explain 2026-05-04 gpu.A100"],
    act: async ({ client, out }, [date, sku]) => {
      const value = await client.call("explainLine", { params: { date, sku } });
      await out.show({
        value,
        ids: value.events.map((event) => event.id),
        text: () => explanationText(value),
      });
    },
  });
}

const notYet =
  "No event yet: use becomes an event when it ends, when it changes, and at midnight.\n";

function explanationText(explained: AnswerOf<"explainLine">): string {
  const { month, lines, events, checkpoint } = explained;
  const head = fields([
    ["Line", `${explained.date} ${explained.sku}`],
    [
      "Month before it",
      `${month.before.quantity}, ${month.before.exact} = ${money(month.before.rounded)}`,
    ],
    [
      "Month with it",
      `${month.after.quantity}, ${month.after.exact} = ${money(month.after.rounded)}`,
    ],
    ["Log checkpoint", checkpoint === null ? "not yet" : `${checkpoint.size}, ${checkpoint.root}`],
  ]);
  const charges = table(
    [
      { title: "REVISION", cell: (line) => line.revision, right: true },
      { title: "QUANTITY", cell: (line) => line.quantity, right: true },
      { title: "UNIT", cell: (line) => line.unit },
      { title: "PRICE", cell: (line) => line.listPrice, right: true },
      { title: "OF", cell: (line) => line.priceSource },
      { title: "MULTIPLIER", cell: (line) => line.multiplier, right: true },
      { title: "AMOUNT", cell: (line) => line.amount, right: true },
      { title: "STATE", cell: (line) => line.state },
    ],
    lines,
  );
  const used =
    events.length === 0
      ? notYet
      : table(
          [
            { title: "FROM", cell: (event) => time(event.from) },
            { title: "SECONDS", cell: (event) => event.seconds, right: true },
            { title: "UNITS", cell: (event) => event.units, right: true },
            { title: "OF", cell: (event) => `${event.work} ${event.resource}` },
            { title: "COUNTED", cell: (event) => (event.counted ? "yes" : "no") },
            { title: "LOG ENTRY", cell: (event) => event.leaf ?? none, right: true },
            { title: "EVENT", cell: (event) => event.id },
          ],
          events,
        );
  const more = explained.isCut ? "There are more events.\n" : "";
  return `${head}\n${charges}\n${used}${more}`;
}

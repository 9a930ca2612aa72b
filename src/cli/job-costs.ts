/** What each attempt of a job used and what that comes to, as a person reads it. */
import type { AnswerOf } from "#client/types.ts";

import { fields, table } from "./table.ts";
import { money, none, yesNo } from "./text.ts";

type Costs = AnswerOf<"getJobCosts">;
type Line = Costs["attempts"][number]["lines"][number] & { readonly attempt: number };

export function jobCostsText({ attempts, amount, isCut }: Costs): string {
  const lines = attempts.flatMap(({ number, lines: used }): Line[] =>
    used.map((line) => ({ ...line, attempt: number })),
  );
  if (lines.length === 0) return "Nothing is metered yet: waiting and starting cost nothing.\n";
  const used = table<Line>(
    [
      { title: "ATTEMPT", cell: ({ attempt }) => attempt, right: true },
      { title: "SKU", cell: ({ sku }) => sku },
      { title: "UNITS", cell: ({ units }) => units, right: true },
      { title: "SECONDS", cell: ({ seconds }) => seconds, right: true },
      {
        title: "PRICE",
        cell: ({ unitPrice, unit }) => (unitPrice === null ? none : `${unitPrice} / ${unit ?? ""}`),
        right: true,
      },
      { title: "BILLED", cell: ({ billable }) => yesNo(billable) },
      {
        title: "AMOUNT",
        cell: (line) => (line.amount === null ? none : money(line.amount)),
        right: true,
      },
    ],
    lines,
  );
  const sums = fields([
    ...attempts.map(
      (each) =>
        [`Attempt ${each.number}`, each.amount === null ? none : money(each.amount)] as const,
    ),
    ["Together", amount === null ? none : money(amount)],
  ]);
  return `${used}\n${sums}${isCut ? "There is more use than is shown.\n" : ""}At the prices of its days; the bill prices a day's use of the whole account: bands and packages can make it less.\n`;
}

/** The figures in words: lines for the terminal, and the same as a Markdown file. */
import { policyNames, type PolicyName } from "#flow/place/engine/policies.ts";

import { mean, type Gate, type VariantFigures } from "./results.ts";
import type { Speed } from "./speed.ts";

export interface Report {
  readonly command: string;
  readonly seeds: readonly number[];
  readonly policy: PolicyName;
  readonly figures: readonly VariantFigures[];
  readonly gates: readonly Gate[];
  readonly speeds: readonly Speed[];
}

export function markdown(report: Report): string {
  return [
    "# Placement on the openb traces",
    "",
    `\`${report.command}\`: GPUs allocated (% of the cluster) when as many have been asked for as it has`,
    `(100 %) and 130 % of that; means over the seeds ${report.seeds.join(", ")}.`,
    "",
    ...table(variantRows(report)),
    "",
    ...table([
      ["gate", "got", "wanted", ""],
      ...report.gates.map(({ what, got, wanted, met }) => [what, got, wanted, met ? "ok" : "MISS"]),
    ]),
    "",
    `Decisions per second of CPU in one process, policy \`${report.policy}\`:`,
    "",
    ...table([
      ["nodes", "while filling up", "in steady change"],
      ...report.speeds.map(({ nodes, filling, changing }) =>
        [nodes, filling, changing].map((figure) => Math.round(figure).toLocaleString("en-US")),
      ),
    ]),
    "",
  ].join("\n");
}

/** Per variant the policies side by side, ours first, and the mean below. */
function variantRows({ figures, policy }: Report): string[][] {
  const shown = [policy, ...policyNames.filter((name) => name !== policy)].filter((name) =>
    figures.some((row) => row.policy === name),
  );
  const head = shown.flatMap((name) => [`${name} 100 %`, `${name} 130 %`]);
  const variants = [...new Set(figures.map(({ variant }) => variant))];
  const rows = variants.map((variant) => [
    variant,
    ...shown.flatMap((name) => {
      const row = figures.find((one) => one.variant === variant && one.policy === name);
      return row === undefined ? ["", ""] : [row.at100.toFixed(2), row.at130.toFixed(2)];
    }),
  ]);
  const means = shown.flatMap((name) => {
    const own = figures.filter((row) => row.policy === name);
    if (own.length !== variants.length) return ["", ""];
    return [own.map((row) => row.at100), own.map((row) => row.at130)].map((column) =>
      mean(column).toFixed(2),
    );
  });
  return [["variant", ...head], ...rows, [`mean of ${variants.length}`, ...means]];
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...body.map(line),
  ];
}

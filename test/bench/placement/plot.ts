/** The figures as one drawing: allocation over arrivals, and the lead over FGD by variant. */
import type { PolicyName } from "#flow/place/engine/policies.ts";

import type { Outcome } from "./experiment.ts";
import { mean, type VariantFigures } from "./results.ts";

const color: Readonly<Record<PolicyName, string>> = {
  balance: "#0b6e4f",
  fgd: "#c2571a",
  bestfit: "#3a5a98",
  dotprod: "#8a8a8a",
  gpupacking: "#b08bbb",
};
const from = 85;
const until = 130;
const low = 84;
const high = 98;
const panel = { left: 60, top: 40, width: 460, height: 340 };
const bars = { left: 700, width: 280, row: 24 };

interface Drawing {
  readonly outcomes: readonly Outcome[];
  readonly figures: readonly VariantFigures[];
  readonly variant: string;
  readonly policy: PolicyName;
}

export function plot(drawing: Drawing): string {
  const variants = new Set(drawing.figures.map(({ variant }) => variant)).size;
  const height = Math.max(440, panel.top + 20 + bars.row * variants);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="1000" height="${height}" fill="white"/>`,
    ...curves(drawing),
    ...leads(drawing),
    "</svg>",
    "",
  ].join("\n");
}

function curves({ outcomes, variant }: Drawing): string[] {
  const x = (at: number): number => panel.left + ((at - from) / (until - from)) * panel.width;
  const y = (at: number): number => panel.top + ((high - at) / (high - low)) * panel.height;
  const lines = [text(panel.left, 24, `${variant}: GPUs allocated (%) over GPUs asked for (%)`)];
  for (let at = low; at <= high; at += 2) {
    lines.push(
      `<path d="M${panel.left} ${y(at).toFixed(1)}h${panel.width}" stroke="#ddd"/>`,
      text(panel.left - 8, y(at) + 4, String(at), "end"),
    );
  }
  for (let at = from; at <= until; at += 5) {
    lines.push(text(x(at), panel.top + panel.height + 18, String(at), "middle"));
  }
  const runs = outcomes.filter((outcome) => outcome.variant === variant);
  const groups = [...Map.groupBy(runs, ({ policy }) => policy)];
  for (const [i, [policy, group]] of groups.entries()) {
    const points: string[] = [];
    for (let at = from; at <= until; at += 1) {
      const value = mean(group.map(({ curve }) => curve[at] ?? Number.NaN));
      if (value >= low) points.push(`${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    }
    const labelY = panel.top + panel.height - 20 * (groups.length - i);
    lines.push(
      `<polyline fill="none" stroke="${color[policy]}" stroke-width="2" points="${points.join(" ")}"/>`,
      `<path d="M${panel.left + 330} ${labelY - 4}h24" stroke="${color[policy]}" stroke-width="2"/>`,
      text(panel.left + 360, labelY, policy),
    );
  }
  return lines;
}

function leads({ figures, policy }: Drawing): string[] {
  const rows = figures.flatMap((row) => {
    const fgd = figures.find((other) => other.variant === row.variant && other.policy === "fgd");
    if (row.policy !== policy || fgd === undefined || policy === "fgd") return [];
    return [{ variant: row.variant, at100: row.at100 - fgd.at100, at130: row.at130 - fgd.at130 }];
  });
  if (rows.length === 0) return [];
  const widest = Math.max(0.1, ...rows.flatMap(({ at100, at130 }) => [at100, at130].map(Math.abs)));
  const lines = [text(bars.left - 100, 24, `${policy}: percent points above FGD`)];
  for (const [i, { variant, at100, at130 }] of rows.entries()) {
    const top = panel.top + bars.row * i;
    lines.push(
      text(bars.left - 8, top + 14, variant, "end"),
      bar(top + 2, at100 / widest, "#8fc1a9", `${signed(at100)} at 100 %`),
      bar(top + 12, at130 / widest, "#0b6e4f", `${signed(at130)} at 130 %`),
    );
  }
  return lines;
}

function bar(top: number, share: number, fill: string, label: string): string {
  const width = Math.max(1, Math.abs(share) * (bars.width - 110));
  const shade = share < 0 ? "#b00020" : fill;
  return (
    `<rect x="${bars.left}" y="${top}" width="${width.toFixed(1)}" height="9" fill="${shade}"/>` +
    `<text x="${(bars.left + width + 5).toFixed(1)}" y="${top + 8}" font-size="9">${label}</text>`
  );
}

function signed(value: number): string {
  return `${value < 0 ? "" : "+"}${value.toFixed(2)}`;
}

function text(x: number, y: number, words: string, anchor = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
}

/** The figures as a Markdown table and as a drawing. */
import type { Figures } from "./figures.ts";

export interface Report {
  readonly command: string;
  readonly estimates: string;
  readonly seed: number;
  readonly jobs: number;
  readonly gpus: number;
  readonly figures: readonly Figures[];
}

export function markdown({ command, estimates, seed, jobs, gpus, figures }: Report): string {
  const head = [
    "scheduler",
    "mean wait s",
    "p95 wait s",
    "longest s",
    "mean wait s, 8+ GPUs",
    "utilization %",
    "fairness",
    "worst tenant's slowdown",
    "ms per pass",
    "waiting at most",
  ];
  const rows = figures.map((row) => [
    row.scheduler,
    whole(row.meanWaitS),
    whole(row.p95WaitS),
    whole(row.maxWaitS),
    whole(row.wideMeanWaitS),
    (row.utilization * 100).toFixed(1),
    row.fairness.toFixed(2),
    row.worstSlowdown.toFixed(1),
    row.msPerPass.toFixed(2),
    whole(row.waitingMost),
  ]);
  return [
    "# The queue on the Philly trace",
    "",
    `\`${command}\`: ${whole(jobs)} jobs on ${whole(gpus)} GPUs in hosts of 8; estimates \`${estimates}\`, seed ${seed}.`,
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
  ].join("\n");
}

const bar = { left: 90, width: 300, row: 34 };

/** Two panels of bars: all jobs' mean wait, and that of jobs of 8 GPUs and more. */
export function plot({ figures }: Report): string {
  const height = 60 + bar.row * figures.length;
  const panels = [
    { title: "mean wait, hours", left: bar.left, of: (row: Figures) => row.meanWaitS },
    { title: "mean wait of 8+ GPUs, hours", left: 560, of: (row: Figures) => row.wideMeanWaitS },
  ];
  const lines = panels.flatMap(({ title, left, of }) => {
    const most = Math.max(1, ...figures.map(of));
    return [
      `<text x="${left}" y="24" font-weight="bold">${title}</text>`,
      ...figures.map((row, i) => {
        const top = 40 + i * bar.row;
        const width = (of(row) / most) * bar.width;
        const fill = row.scheduler === "due" ? "#0b6e4f" : "#8a8a8a";
        return (
          `<text x="${left - 8}" y="${top + 15}" text-anchor="end">${row.scheduler}</text>` +
          `<rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="20" fill="${fill}"/>` +
          `<text x="${(left + width + 6).toFixed(1)}" y="${top + 15}">${(of(row) / 3600).toFixed(1)}</text>`
        );
      }),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="960" height="${height}" fill="white"/>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

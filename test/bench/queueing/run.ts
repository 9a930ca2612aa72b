/**
 * `npm run bench:queue -- --traces FOLDER`: the queue's policy beside the usual ones on the Philly trace.
 * `--policy a,b` for some of them, `--estimates round|exact|wild|factorN` and `--seed N` for what users
 * say of their jobs' lengths, `--hosts N` for another cluster, `--rules JSON` for other settings of ours,
 * `--json FILE` for the figures, `--out FOLDER` for the table (queue.md) and the plot (queue.svg).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";

import { usualRules, type PolicyRules } from "#flow/queue/policy.ts";
import { scheduler, schedulerNames, type SchedulerName } from "#rehearse/rivals.ts";

import { estimateModel, estimatesOf } from "./estimates.ts";
import { figuresOf, type Figures } from "./figures.ts";
import { markdown, plot, type Report } from "./report.ts";
import { pool, simulate } from "./simulate.ts";
import { readPhilly, type TraceJob } from "./trace.ts";

const { values } = parseArgs({
  options: {
    traces: { type: "string", default: "../shared/traces" },
    policy: { type: "string", default: schedulerNames.join(",") },
    estimates: { type: "string", default: "round" },
    seed: { type: "string", default: "1" },
    hosts: { type: "string", default: "80" },
    rules: { type: "string", default: "{}" },
    json: { type: "string" },
    out: { type: "string" },
  },
});

const settings = z.strictObject({
  lengthFactor: z.number().min(0).optional(),
  lengthMsMax: z.number().min(0).optional(),
  wideUnits: z.int().min(1).optional(),
  wideMs: z.number().min(0).optional(),
  shareMsMax: z.number().min(0).optional(),
  halfLifeMs: z.number().positive().optional(),
  reservationsMax: z.int().min(0).optional(),
});

const gpusPerHost = 8;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const jobs = readPhilly(values.traces);
if (jobs === undefined) {
  say(
    `Skipped: there is no Philly trace in ${values.traces}. Name the folder with --traces FOLDER.`,
  );
} else {
  const problem = benchmark(jobs);
  if (problem !== undefined) {
    say(problem);
    process.exitCode = 2;
  }
}

/** What is wrong with the options, if something is. */
function benchmark(of: readonly TraceJob[]): string | undefined {
  const names = values.policy.split(",").map(named);
  if (names.includes(undefined)) return `Policies are ${schedulerNames.join(", ")}.`;
  const model = estimateModel(values.estimates);
  if (model === undefined) return "Estimates are round, exact, wild, or factorN with N from 1 up.";
  const [seed, hostCount] = [Number(values.seed), Number(values.hosts)];
  if (!Number.isSafeInteger(seed)) return "A seed is a whole number.";
  const widest = of.reduce((most, { gpus }) => Math.max(most, gpus), 0);
  if (!Number.isSafeInteger(hostCount) || hostCount * gpusPerHost < widest)
    return `Hosts are a whole number, enough for the widest job's ${widest} GPUs.`;
  const rules = rulesFrom(values.rules);
  if (rules === undefined) return `--rules is JSON with ${Object.keys(settings.shape).join(", ")}.`;
  const hosts = Array.from({ length: hostCount }, (_, i) => ({
    id: String(i).padStart(5, "0"),
    pool,
    units: gpusPerHost,
  }));
  const estimates = estimatesOf(of, model, seed);
  const gpus = hostCount * gpusPerHost;
  const figures: Figures[] = [];
  for (const name of names.filter((known) => known !== undefined)) {
    const { halfLifeMs } = rules;
    const run = simulate({ jobs: of, estimates, hosts, halfLifeMs }, scheduler(name, rules));
    const row = figuresOf(name, run, gpus);
    figures.push(row);
    say(`${name.padEnd(9)} ${Math.round(row.meanWaitS)} s, 8+ ${Math.round(row.wideMeanWaitS)} s`);
  }
  const command = `npm run bench:queue -- ${process.argv.slice(2).join(" ")}`.trim();
  write({ command, estimates: values.estimates, seed, jobs: of.length, gpus, figures });
  return undefined;
}

function named(name: string): SchedulerName | undefined {
  return schedulerNames.find((known) => known === name);
}

function rulesFrom(words: string): PolicyRules | undefined {
  let given: unknown;
  try {
    given = JSON.parse(words);
  } catch {
    return undefined;
  }
  const parsed = settings.safeParse(given);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  return {
    ...usualRules,
    lengthFactor: data.lengthFactor ?? usualRules.lengthFactor,
    lengthMsMax: data.lengthMsMax ?? usualRules.lengthMsMax,
    wideUnits: data.wideUnits ?? usualRules.wideUnits,
    wideMs: data.wideMs ?? usualRules.wideMs,
    shareMsMax: data.shareMsMax ?? usualRules.shareMsMax,
    halfLifeMs: data.halfLifeMs ?? usualRules.halfLifeMs,
    reservationsMax: data.reservationsMax ?? usualRules.reservationsMax,
  };
}

function write(report: Report): void {
  say(`\n${markdown(report)}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, JSON.stringify(report, undefined, 1));
  }
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, "queue.md"), markdown(report));
    writeFileSync(join(values.out, "queue.svg"), plot(report));
  }
}

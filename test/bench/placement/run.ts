/**
 * `npm run bench:placement -- --traces FOLDER`: our placement policy beside the published ones on the
 * openb production traces, with the gates, and the speed of a decision. `--variants a,b` and `--seeds
 * 42-51` for a part of it, `--nodes FILE` for a cluster of one's own (the columns of the trace's node
 * list), `--policy P` for another policy than ours, `--json FILE` for every curve, `--out FOLDER` for
 * the table (placement.md) and the plot (placement.svg).
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { policyNames, type PolicyName } from "#flow/place/engine/policies.ts";

import {
  openTraces,
  podsOf,
  readPublished,
  runPlan,
  type Outcome,
  type Traces,
} from "./experiment.ts";
import { plot } from "./plot.ts";
import { markdown, type Report } from "./report.ts";
import { figuresOf, gatesOf, publishedGate, type Gate } from "./results.ts";
import { measureSpeed, type Speed } from "./speed.ts";

const usual = { variant: "default", seeds: "42-51", policy: "balance" } as const;
const sizes = [100, 1_213, 10_000];
const decisionsWanted = 20_000;

const { values } = parseArgs({
  options: {
    traces: { type: "string", default: "../shared/traces" },
    variants: { type: "string" },
    seeds: { type: "string", default: usual.seeds },
    nodes: { type: "string" },
    policy: { type: "string", default: usual.policy },
    json: { type: "string" },
    out: { type: "string" },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const noNodes = values.nodes !== undefined && !existsSync(values.nodes);
const traces = noNodes ? undefined : openTraces(values.traces, values.nodes);
if (noNodes) {
  say(`There is no file ${values.nodes}.`);
  process.exitCode = 2;
} else if (traces === undefined) {
  say(`Skipped: there are no traces in ${values.traces}. Name their folder with --traces FOLDER.`);
} else {
  const problem = problemOf(traces);
  if (problem === undefined) benchmark(traces);
  else {
    say(problem);
    process.exitCode = 2;
  }
}

function problemOf({ variants }: Traces): string | undefined {
  const strange = (values.variants?.split(",") ?? []).find((name) => !variants.includes(name));
  if (strange !== undefined) return `No variant ${strange}; there are ${variants.join(", ")}.`;
  if (policyNamed(values.policy) === undefined) {
    return `No policy ${values.policy}; there are ${policyNames.join(", ")}.`;
  }
  if (seedsOf(values.seeds).length === 0)
    return "Seeds are numbers: --seeds 42-51 or --seeds 1,2,3.";
  return undefined;
}

function policyNamed(name: string): PolicyName | undefined {
  return policyNames.find((known) => known === name);
}

function seedsOf(words: string): number[] {
  return words.split(",").flatMap((part) => {
    const [from, until] = part.split("-").map(Number);
    if (from === undefined || !Number.isSafeInteger(from)) return [];
    const last = until === undefined ? from : until;
    return Array.from({ length: Math.max(0, last - from + 1) }, (_, i) => from + i);
  });
}

function benchmark(of: Traces): void {
  const policy = policyNamed(values.policy) ?? usual.policy;
  const seeds = seedsOf(values.seeds);
  const variants = values.variants?.split(",") ?? of.variants;
  const outcomes: Outcome[] = [];
  for (const variant of variants) {
    const compared: readonly PolicyName[] =
      variant === usual.variant ? ["fgd", "bestfit"] : ["fgd"];
    const policies = [policy, ...compared.filter((name) => name !== policy)];
    const runs = runPlan(of, { variant, seeds, policies });
    outcomes.push(...runs);
    for (const { at100, at130, policy: name } of figuresOf(runs)) {
      say(`${variant.padEnd(12)} ${name.padEnd(10)} ${at100.toFixed(2)}  ${at130.toFixed(2)}`);
    }
  }
  const speedPods = podsOf(
    of,
    variants.includes(usual.variant) ? usual.variant : (variants[0] ?? ""),
  );
  // The first is for the compiler.
  measureSpeed({ nodes: of.nodes, size: sizes[0] ?? 1, pods: speedPods, policy });
  const speeds = sizes.map((size) =>
    measureSpeed({ nodes: of.nodes, size, pods: speedPods, policy }),
  );
  const figures = figuresOf(outcomes);
  const whole = of.publishedNodes && seedsOf(usual.seeds).join() === seeds.join();
  const gates = [
    ...publishedGate(outcomes, readPublished(of)),
    ...gatesOf({ figures, policy, whole }),
    ...speedGate(speeds),
  ];
  const command = `npm run bench:placement -- ${process.argv.slice(2).join(" ")}`.trim();
  const report: Report = { command, seeds, policy, figures, gates, speeds };
  say(`\n${markdown(report)}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, JSON.stringify({ ...report, outcomes }, undefined, 1));
  }
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, "placement.md"), markdown(report));
    const variant = variants.includes(usual.variant) ? usual.variant : (variants[0] ?? "");
    writeFileSync(join(values.out, "placement.svg"), plot({ outcomes, figures, variant, policy }));
  }
  if (gates.some(({ met }) => !met)) process.exitCode = 1;
}

function speedGate(speeds: readonly Speed[]): Gate[] {
  const at = speeds.find(({ nodes }) => nodes === 1_213);
  if (at === undefined) return [];
  const slower = Math.min(at.filling, at.changing);
  return [
    {
      what: "decisions per second at 1,213 nodes",
      got: Math.round(slower).toLocaleString("en-US"),
      wanted: `>= ${decisionsWanted.toLocaleString("en-US")}`,
      met: slower >= decisionsWanted,
    },
  ];
}

/** Outcomes to figures: means per variant, and whether the gates are passed. */
import type { PolicyName } from "#flow/place/engine/policies.ts";

import type { Outcome, PublishedCurve } from "./experiment.ts";

export interface VariantFigures {
  readonly variant: string;
  readonly policy: PolicyName;
  /** Mean over the seeds of what is allocated when 100 % and 130 % have arrived. */
  readonly at100: number;
  readonly at130: number;
}

export interface Gate {
  readonly what: string;
  readonly got: string;
  readonly wanted: string;
  readonly met: boolean;
}

export function figuresOf(outcomes: readonly Outcome[]): VariantFigures[] {
  const groups = Map.groupBy(outcomes, ({ variant, policy }) => `${variant} ${policy}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        variant: first.variant,
        policy: first.policy,
        at100: mean(group.map(({ curve }) => curve[100] ?? Number.NaN)),
        at130: mean(group.map(({ curve }) => curve[130] ?? Number.NaN)),
      },
    ];
  });
}

export function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

/** Published runs are printed to two decimals; more than half of the last one is a difference. */
const printed = 0.0051;

export function publishedGate(
  outcomes: readonly Outcome[],
  published: readonly PublishedCurve[],
): Gate[] {
  let compared = 0;
  let largest = 0;
  let off = 0;
  for (const outcome of outcomes) {
    const twin = published.find(
      ({ variant, policy, seed }) =>
        variant === outcome.variant && policy === outcome.policy && seed === outcome.seed,
    );
    if (twin === undefined) continue;
    compared += 1;
    const differences = outcome.curve.map((at, i) => Math.abs(at - (twin.curve[i] ?? Number.NaN)));
    const difference = Math.max(...differences);
    largest = Math.max(largest, difference);
    if (!(difference <= printed)) off += 1;
  }
  if (compared === 0) return [];
  return [
    {
      what: "published curves, run by run, 0 to 130 %",
      got: `${compared - off} of ${compared} the same, largest difference ${largest.toFixed(4)}`,
      wanted: `all within ${printed}`,
      met: off === 0,
    },
  ];
}

interface Wanted {
  readonly figures: readonly VariantFigures[];
  readonly policy: PolicyName;
  /** All seventeen variants, all ten seeds and the published nodes: else the figures are others. */
  readonly whole: boolean;
}

const variantsOfTrace = 17;

export function gatesOf({ figures, policy, whole }: Wanted): Gate[] {
  const find = (variant: string, of: PolicyName): VariantFigures | undefined =>
    figures.find((row) => row.variant === variant && row.policy === of);
  const gates: Gate[] = [];
  const gate = (what: string, got: number | undefined, least: number): void => {
    if (got === undefined) return;
    gates.push({ what, got: got.toFixed(2), wanted: `>= ${least}`, met: got >= least });
  };
  const ours = figures.filter((row) => row.policy === policy);
  if (whole) {
    for (const [of, figure] of [
      ["fgd", 95.39],
      ["bestfit", 93.08],
    ] as const) {
      const got = find("default", of)?.at130;
      if (got === undefined) continue;
      const met = Math.abs(got - figure) < 0.01;
      const what = `own ${of} on default at 130 %`;
      gates.push({ what, got: got.toFixed(3), wanted: `${figure} as published`, met });
    }
    gate(`${policy} on default at 130 %`, find("default", policy)?.at130, 95.9);
    if (ours.length === variantsOfTrace) {
      gate(`${policy}, mean of the variants at 130 %`, mean(ours.map((row) => row.at130)), 94.85);
      gate(`${policy}, mean of the variants at 100 %`, mean(ours.map((row) => row.at100)), 94.55);
    }
  }
  if (policy !== "fgd") gates.push(...notBelowFgd(ours, (variant) => find(variant, "fgd")));
  return gates;
}

function notBelowFgd(
  ours: readonly VariantFigures[],
  fgd: (variant: string) => VariantFigures | undefined,
): Gate[] {
  const leads = ours.flatMap(({ variant, at100, at130 }) => {
    const other = fgd(variant);
    if (other === undefined) return [];
    return [
      { where: `${variant} at 100 %`, lead: at100 - other.at100 },
      { where: `${variant} at 130 %`, lead: at130 - other.at130 },
    ];
  });
  const [least] = leads.toSorted((a, b) => a.lead - b.lead);
  if (least === undefined) return [];
  return [
    {
      what: "smallest lead over FGD on any variant",
      got: `${least.lead.toFixed(2)} (${least.where})`,
      wanted: ">= 0",
      met: least.lead >= 0,
    },
  ];
}

/**
 * R-PAYG-3 on a cluster: whatever happens to machines, and whoever is away meanwhile, nobody pays for a second
 * that did not run, and none is given away but those that nobody could know of.
 */
import { expect, test } from "vitest";

import { randomFrom, seeds } from "#test/sim/random.ts";

import { History, type Outcome } from "./histories.ts";
import type { Interval } from "./metered.ts";

const histories = 4;
const steps = 16;

async function outcomeOf(seed: number): Promise<Outcome> {
  const history = await History.start(randomFrom(seed));
  try {
    return await history.play(steps);
  } finally {
    await history.close();
  }
}

/** What is wrong with what was billed, in words. */
function faultsOf({ billed, truth, blind }: Outcome): readonly string[] {
  return [...billed].flatMap(([id, all]) => {
    const intervals = all.filter(({ from, until }) => from < until);
    const runs = truth.get(id) ?? [];
    const over = intervals
      .filter((each) => !runs.some((run) => run.from <= each.from && each.until <= run.until))
      .map((each) => `billed ${shown(each)}, but it ran ${runs.map(shown).join(" ")}`);
    const lost = runs.flatMap((run) => {
      const of = intervals.filter((each) => run.from <= each.from && each.until <= run.until);
      if (of.length > 1) return [`${shown(run)} was billed in parts: ${of.map(shown).join(" ")}`];
      const [bill = { from: run.from, until: run.from }] = of;
      if (bill.from === run.from && bill.until === run.until) return [];
      const isExcused = blind.some(
        ({ from, until, seenUntil, isLost }) =>
          from <= run.until &&
          run.until <= until &&
          isLost(run.uid, id) &&
          bill.from === run.from &&
          bill.until >= Math.min(seenUntil, run.until),
      );
      return isExcused ? [] : [`of ${shown(run)} was billed ${shown(bill)}`];
    });
    return [...over, ...lost];
  });
}

function shown({ from, until }: Interval): string {
  return `${new Date(from).toISOString().slice(11, 19)}-${new Date(until).toISOString().slice(11, 19)}`;
}

// At once, because they wait most of the time.
test.concurrent.each(seeds(histories))(
  "R-PAYG-3: what is billed of a random history is what ran, to the second (SIM_SEED=%i)",
  { timeout: 600_000 },
  async (seed) => {
    const outcome = await outcomeOf(seed);
    // With what happened, where anything is wrong.
    const faults = faultsOf(outcome);
    expect(faults.length === 0 ? [] : [...outcome.said, ...faults]).toEqual([]);
  },
);

/**
 * Whichever of two processes meters, and whoever ends when: what is metered in the database, and told in usage
 * events, is what ran by the cluster's own clock.
 */
import { expect, onTestFinished, test } from "vitest";

import { randomFrom, seeds } from "#test/sim/random.ts";

import { ChangeOver } from "./change-over.ts";
import { patience, startStaged } from "./staged.ts";

const steps = 24;

test.each(seeds(1))(
  "R-PAYG-3, R-EVT-2: what is metered over a random history of two processes, of which one takes over from the other, is what ran, to the second (SIM_SEED=%i)",
  { timeout: 600_000 },
  async (seed) => {
    const staged = await startStaged("change-over", "change-over");
    const history = new ChangeOver(staged, randomFrom(seed));
    onTestFinished(() => history.close());
    await history.begin();
    for (let step = 0; step < steps; step += 1) await history.step();
    // Each interval that is over is events, of the same seconds.
    await expect
      .poll(async () => (await history.events()).length, patience)
      .toBe((await history.ended()).length);
    expect(await history.events()).toEqual(await history.ended());
  },
);

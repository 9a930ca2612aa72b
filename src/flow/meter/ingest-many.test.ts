/** Usage in any order, in any batches, from several senders at once: the sums are the same. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { testDatabase } from "#test/database.ts";
import { day, hour, outsideMeter, takeBack, usage } from "#test/outside-meter.ts";

import { canonicalText } from "./event.ts";
import { anyEvent } from "./event-samples.ts";
import { checkLog } from "./log-check.ts";
import { sequence } from "./sequencer.ts";
import { checkUsageDays } from "./usage-days.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const { newTenant, send, said, rolled } = outsideMeter(db);

test("MT-04: concurrent senders of one batch: each event is taken in once", async () => {
  const tenants = [await newTenant(), await newTenant()];
  const batch = Array.from({ length: 60 }, (_, index) =>
    usage({ tenant: tenants[index % 2] ?? "", id: `both-${index}` }),
  );
  const answers = await Promise.all(
    [batch, batch.toReversed(), batch, batch.toReversed()].map((each) => said(each)),
  );
  expect(answers.flat().filter((each) => each === "accepted")).toHaveLength(60);
  expect(answers.flat().filter((each) => each === "duplicate")).toHaveLength(180);
  for (const tenant of tenants) expect(await rolled(tenant)).toEqual(["2026-05-04 gpu.T4 30"]);
});

test("MT-04: two who send the same identity for two tenants at once: one is taken, one is told", async () => {
  for (let round = 0; round < 5; round += 1) {
    const tenants = [await newTenant(), await newTenant()];
    const answers = await Promise.all(
      tenants.map((tenant) =>
        said([usage({ tenant, id: `race-${round}` })]).catch((error: Error) => [error.message]),
      ),
    );
    const taken = answers.flat().filter((each) => each === "accepted");
    expect(taken).toHaveLength(1);
  }
});

test("R-EVT-1: permuting, batching and repeating events changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          units: fc.integer({ min: 1, max: 64 }),
          from: fc.integer({ min: 0, max: 23 }),
          sku: fc.constantFrom("gpu.T4", "gpu.A100"),
          back: fc.boolean(),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (asks, picks, size) => {
        const sums: string[][] = [];
        for (const order of ["plain", "mixed"] as const) {
          const tenant = await newTenant();
          const events = asks.flatMap(({ units, from, sku, back }, index) => {
            const id = `${tenant}/${index}`;
            const from0 = day + from * hour;
            const event = usage({ tenant, id, units: `${units}`, from: from0, sku });
            return back ? [event, takeBack(tenant, id)] : [event];
          });
          const mixed = [
            ...picks.map((pick) => events[pick % events.length]),
            ...events.toReversed(),
          ];
          let left: readonly unknown[] = order === "plain" ? events : mixed;
          // A sender sends again what is held because its original was not there yet.
          while (left.length > 0) {
            const heldOnes: unknown[] = [];
            for (let at = 0; at < left.length; at += size) {
              const batch = left.slice(at, at + size);
              const answers = await send(batch);
              heldOnes.push(...batch.filter((_, index) => answers[index]?.outcome === "review"));
            }
            left = heldOnes;
          }
          sums.push(await rolled(tenant));
        }
        expect(sums[1]).toEqual(sums[0]);
      },
    ),
    { numRuns: 12 },
  );
  while ((await sequence(db)) !== 0);
  expect(await checkUsageDays(db)).toEqual([]);
  expect(await checkLog(db)).toEqual([]);
});

test("any event at all is answered, and the books hold", async () => {
  const tenant = await newTenant();
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 20 }), async (events) => {
      const values = events.map((event) =>
        JSON.parse(canonicalText({ ...event, tenantId: tenant })),
      );
      expect(await send(values, 2_100_000_000_000)).toHaveLength(values.length);
    }),
    { numRuns: 20 },
  );
  while ((await sequence(db)) !== 0);
  expect(await checkUsageDays(db)).toEqual([]);
  expect(await checkLog(db)).toEqual([]);
});

import { expect, test } from "vitest";

import { hourMs, now, running, snapshot, work } from "#test/random-queue.ts";

import { forecast } from "./forecast.ts";
import { pacesOf, sizeOf, usualPace } from "./pace.ts";
import { plan } from "./policy.ts";

const whole = { tenantId: "ann", pool: "A100", units: 1000 };
const all = {
  tenantId: null,
  pool: "A100",
  size: sizeOf(1000),
  count: 980,
  quick: 0.1,
  usual: 0.6,
};
const anns = { ...all, tenantId: "ann", count: 80, quick: 0.5, usual: 0.9 };

test("S-04: as long as nothing has ended, work uses what it does on the traces", () => {
  expect(pacesOf([])(whole)).toEqual(usualPace);
  // What others use of another model, or in another size, says nothing.
  expect(pacesOf([all])({ ...whole, pool: "T4" })).toEqual(usualPace);
  expect(pacesOf([all])({ ...whole, units: 500 })).toEqual(usualPace);
  expect(pacesOf([all])({ ...whole, units: 8000 })).toEqual(usualPace);
});

test("S-04: what ended counts the more the more of it there is, the owner's own before others'", () => {
  const bobs = pacesOf([all, anns])({ ...whole, tenantId: "bob" });
  expect(bobs.usual).toBeCloseTo(0.4 + 0.2 * 0.98);
  expect(bobs.quick).toBeCloseTo(0.05 + 0.05 * 0.98);
  const own = pacesOf([all, anns])(whole);
  expect(own.usual).toBeCloseTo(bobs.usual + (0.9 - bobs.usual) * 0.8);
  const few = pacesOf([all, { ...anns, count: 1 }])(whole);
  expect(few.usual - bobs.usual).toBeLessThan(0.02);
  // One that outran its estimate does not make a "latest" later than the limit.
  expect(pacesOf([{ ...all, usual: 7 }])(whole).usual).toBeLessThanOrEqual(1);
});

test("S-01: when work starts is foretold from how long its own kind runs", () => {
  const of = snapshot({
    hosts: [{ id: "a", pool: "A100", units: 1000 }],
    running: [{ ...running("a", 1000, now + hourMs), tenantId: "ann", pool: "A100" }],
    waiting: [work({ id: "next", tenantId: "bob", pool: "A100", units: 1000 })],
  });
  const likelyIn = (ended: Parameters<typeof pacesOf>[0]): number => {
    const range = forecast(of, plan(of), pacesOf(ended)).get("next");
    return ((range?.likely ?? Number.NaN) - now) / hourMs;
  };
  expect(likelyIn([])).toBeCloseTo(0.4);
  expect(likelyIn([anns])).toBeCloseTo(0.4 + 0.5 * 0.8);
  // What the next one himself usually uses moves those behind him, not him.
  expect(likelyIn([{ ...anns, tenantId: "bob" }])).toBeCloseTo(0.4);
});

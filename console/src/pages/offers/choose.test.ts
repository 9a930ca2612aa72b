/** Filters and orders of the offers. */
import { expect, test } from "vitest";

import { operations } from "#contract/operations.ts";
import { sampleOf } from "#test/sample.ts";

import { chosenOffers, modelsOf, type Offer } from "./choose.ts";

const [sample] = operations.listOffers.result.parse(sampleOf(operations.listOffers.result)).items;

function offer(name: string, model: string | null, hourly: string | null, freeNow: number): Offer {
  if (sample === undefined) throw new Error("no sample");
  const gpu = model === null ? null : { model, count: 1, slice: 1 };
  return {
    ...sample,
    flavor: { ...sample.flavor, name, gpu },
    price: { ...sample.price, hourly },
    freeNow,
  };
}

const offers = [
  offer("small", null, "0.61", 100),
  offer("h100", "H100", null, 0),
  offer("a100", "A100", "61.44", 3),
  offer("t4", "T4", "8.81", 0),
];
const names = (shown: readonly Offer[]): string[] => shown.map(({ flavor }) => flavor.name);

test("a filter keeps what it says, and the server's order", () => {
  expect(names(chosenOffers(offers, {}, undefined))).toEqual(["small", "h100", "a100", "t4"]);
  expect(names(chosenOffers(offers, { kind: "cpu" }, undefined))).toEqual(["small"]);
  expect(names(chosenOffers(offers, { kind: "gpu", free: "1" }, undefined))).toEqual(["a100"]);
  expect(names(chosenOffers(offers, { model: "T4" }, undefined))).toEqual(["t4"]);
  expect(modelsOf(offers)).toEqual(["A100", "H100", "T4"]);
});

test("what has no price comes last in either direction", () => {
  expect(names(chosenOffers(offers, {}, "price"))).toEqual(["small", "t4", "a100", "h100"]);
  expect(names(chosenOffers(offers, {}, "price_down"))).toEqual(["a100", "t4", "small", "h100"]);
  expect(names(chosenOffers(offers, {}, "free"))[0]).toBe("small");
});

/** The pricing examples: our own always, the pricing document's where it lies beside the clone. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

import { readVectors, runVectors } from "./run.ts";
import { rateVector } from "./vectors.ts";

const shared = resolve(import.meta.dirname, "../../../shared/pricing");

test.for([
  ["our own", resolve(import.meta.dirname, "examples.vectors.json")],
  ["of the pricing document", resolve(shared, "vectors.json")],
  ["of other billing systems", resolve(shared, "replay_vectors.json")],
] as const)("R-RND-1, R-PAYG-1: the examples, %s", ([, path], { skip }) => {
  skip(!existsSync(path), "the pricing document does not lie beside this clone");
  const outcomes = runVectors(readVectors(path));
  const failed = outcomes.filter(({ result }) => result.kind === "failed");
  const skipped = outcomes.filter(({ result }) => result.kind === "skipped");
  expect(failed).toEqual([]);
  expect(skipped).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(0);
});

test("a vector of a kind that we do not know is said to be unsupported, with its name", () => {
  const { profile } = readVectors(resolve(import.meta.dirname, "examples.vectors.json"));
  expect(rateVector({ kind: "horoscope", input: {}, expected: {} }, profile)).toEqual({
    kind: "unsupported",
    name: "horoscope",
  });
});

test("a vector can override one figure of the profile", () => {
  const { profile } = readVectors(resolve(import.meta.dirname, "examples.vectors.json"));
  const vector = {
    kind: "vat",
    input: { gross: "113.00", profile_override: { "vat.rate": "0.13" } },
    expected: { net: "", vat: "" },
  };
  expect(rateVector(vector, profile)).toEqual({
    kind: "got",
    got: { net: "100.00", vat: "13.00" },
  });
  expect(profile["vat"]).toMatchObject({ rate: "0.06" });
});

test("a SKU without a price fails a vector; it never gets 0.00", () => {
  const { profile } = readVectors(resolve(import.meta.dirname, "examples.vectors.json"));
  const segment = {
    sku: "gpu.H100",
    units: 1,
    start: "2026-05-04T09:00:00+08:00",
    end: "2026-05-04T10:00:00+08:00",
  };
  const vector = { kind: "payg_rate", input: { segments: [segment] }, expected: {} };
  expect(() => rateVector(vector, profile)).toThrow("gpu.H100 has no price");
});

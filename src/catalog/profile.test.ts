import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";

import { fen, parseFen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";

import {
  defaultProfile,
  defaultProfileJson,
  parsePriceProfile,
  priceProfileSchema,
} from "./profile.ts";
import { quote } from "./quote.ts";
import { dimensionOf, listedSkus, skuPrice } from "./sku.ts";
import { splitVat } from "./tax.ts";

const sharedVectors = resolve(import.meta.dirname, "../../../shared/pricing/vectors.json");

test.skipIf(!existsSync(sharedVectors))(
  "the default profile is that of the price document, with the unpriced SKUs named",
  () => {
    const { profile } = JSON.parse(readFileSync(sharedVectors, "utf8"));
    const { on_request: onRequest, ...figures } = defaultProfileJson;
    expect(figures).toEqual(profile);
    expect(onRequest).toContain("gpu.H100");
  },
);

test("R-CUR-1: a figure that is a number, negative or misspelled is refused", () => {
  const wrong: Record<string, unknown>[] = [
    { storage_gib_day: 0.05 },
    { storage_gib_day: "-0.05" },
    { storage_gib_day: "0,05" },
    { currency: "USD" },
    { timezone: "Asia/Nowhere" },
    { payg_hourly: { "gpu.T4": "5", "GPU T4": "5" } },
    { pay_hourly: {} },
    { vat: { rate: "0.06", price_includes_vat: false } },
    { payg_gpu_graduated_monthly_per_sku: [] },
    { payg_gpu_graduated_monthly_per_sku: [{ up_to_gpu_hours: "100", multiplier: "1" }] },
    {
      payg_gpu_graduated_monthly_per_sku: [
        { up_to_gpu_hours: "500", multiplier: "1" },
        { up_to_gpu_hours: "100", multiplier: "0.9" },
        { up_to_gpu_hours: null, multiplier: "0.8" },
      ],
    },
  ];
  for (const change of wrong) {
    const parsed = priceProfileSchema.safeParse({ ...defaultProfileJson, ...change });
    expect({ change, accepted: parsed.success }).toEqual({ change, accepted: false });
  }
  expect(parsePriceProfile(defaultProfileJson)).toEqual(defaultProfile);
});

test("a SKU without a price is on request, never free", () => {
  for (const sku of [...defaultProfile.on_request, "gpu.A1000", "gpu.constructor", "net.gib", ""]) {
    expect(skuPrice(defaultProfile, sku)).toEqual({ kind: "on_request", sku });
  }
  const set = [
    { sku: "cpu.core", units: 8n, slice: 1n },
    { sku: "gpu.H100", units: 1n, slice: 1n },
  ];
  const asked = quote(defaultProfile, set);
  expect(asked).toMatchObject({ kind: "on_request", skus: ["gpu.H100"] });
  expect(asked).not.toHaveProperty("hourly");
  fc.assert(
    fc.property(fc.string(), (sku) => {
      const isListed = listedSkus(defaultProfile).includes(sku);
      expect(skuPrice(defaultProfile, sku).kind).toBe(isListed ? "priced" : "on_request");
    }),
  );
  expect(dimensionOf("gpu.T4")).toBe("gpu");
});

test("a quote is per hour; a day is 24 and a month 720 of them", () => {
  const asked = quote(defaultProfile, [
    { sku: "gpu.A100", units: 1n, slice: 1n },
    { sku: "cpu.core", units: 16n, slice: 1n },
    { sku: "mem.gib", units: 128n, slice: 1n },
    { sku: "storage", units: 100n * 2n ** 30n, slice: 1n },
  ]);
  // 50 + 8 + 12.8 an hour, and 5 a day for the disk
  expect(asked).toMatchObject({ kind: "priced", hourly: parseFen("71.01") });
  expect(asked).toMatchObject({ daily: parseFen("1704.20"), monthly: parseFen("51126.00") });
});

test("R-PAYG-8: a slice of 1/n costs 1/n, a small machine its part of a GiB", () => {
  const asked = quote(defaultProfile, [
    { sku: "gpu.T4", units: 1n, slice: 4n },
    { sku: "mem.gib", units: 1n, slice: 4n },
  ]);
  expect(asked).toMatchObject({ kind: "priced", hourlyExact: rational(51n, 40n) });
});

test("R-TAX-1: net and VAT add up to the gross", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), (amount) => {
      const { net, vat } = splitVat(defaultProfile, fen(amount));
      expect(net + vat).toBe(amount);
    }),
  );
  expect(splitVat(defaultProfile, parseFen("1000.00"))).toMatchObject({ net: 94340n, vat: 5660n });
});

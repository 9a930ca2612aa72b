import { expect, test } from "vitest";
import { defaultProfileJson } from "#catalog/profile.ts";

import { gridOf, isAmount, ordered, sectionsOf } from "./sections.ts";

test("every field of a profile stands in a section, and none twice", () => {
  const sections = sectionsOf({ ...defaultProfileJson, unheard_of: 1 });
  const shown = sections.flatMap(({ fields }) => fields.map(([name]) => name));
  expect(shown.toSorted()).toEqual([...Object.keys(defaultProfileJson), "unheard_of"].toSorted());
  expect(sections.at(-1)?.fields.map(([name]) => name)).toContain("unheard_of");
});

test("bands and packages are tables, single figures are not", () => {
  expect(gridOf(defaultProfileJson.packages)?.columns).toEqual([
    "price",
    "bonus_rate",
    "valid_months",
  ]);
  expect(gridOf(defaultProfileJson.payg_gpu_graduated_monthly_per_sku)?.rows[3]).toEqual([
    "4",
    [null, "0.85"],
  ]);
  expect(gridOf(defaultProfileJson.payg_hourly)).toBeUndefined();
  expect(gridOf("1")).toBeUndefined();
});

test("what is an amount is known by where it stands", () => {
  expect(isAmount(["packages", "P1000", "price"], "1000.00")).toBe(true);
  expect(isAmount(["packages", "P1000", "bonus_rate"], "0.05")).toBe(false);
  expect(isAmount(["payg_hourly", "gpu.A100"], "50")).toBe(true);
});

test("fields are put into an order, and nothing is lost by it", () => {
  const mixed = {
    vat: { rate: "0" },
    packages: { P10: { valid_months: 3, price: "1" }, A: [] },
    id: "x",
  };
  const put = ordered(mixed);
  expect(put).toEqual(mixed);
  expect(JSON.stringify(put)).toBe(
    '{"id":"x","packages":{"A":[],"P10":{"price":"1","valid_months":3}},"vat":{"rate":"0"}}',
  );
  expect(ordered(defaultProfileJson)).toEqual(defaultProfileJson);
});

import { expect, test } from "vitest";

import { lineOf, readText, yamlOf } from "./profile-yaml.ts";

const profile = {
  payg_hourly: { "gpu.A100": "50", "cpu.core": "0.5" },
  bands: [{ up_to: "100", flat: null }, { up_to: null }],
  on: true,
};

test("what is written as YAML is read as it was, decimals keep their digits", () => {
  expect(readText(yamlOf(profile), "x")).toEqual({ profile });
  expect(readText("price: 0.10", "x")).toEqual({ profile: { price: "0.10" } });
  expect(readText("a: [", "The text")).toMatchObject({
    problem: expect.stringContaining("The text"),
  });
  expect(readText("", "x")).toHaveProperty("problem");
});

test("a field's line is found, also where its name has dots; of what is missing the nearest", () => {
  const text = yamlOf(profile);
  const line = (path: string) => text.split("\n")[(lineOf(text, path) ?? 0) - 1]?.trim();
  expect(line("payg_hourly.cpu.core")).toBe('cpu.core: "0.5"');
  expect(line("bands.0.flat")).toBe("flat: null");
  expect(line("payg_hourly.mem.gib")).toBe("payg_hourly:");
  expect(lineOf(text, "nothing")).toBeUndefined();
  expect(lineOf("a: [", "a")).toBe(1);
});

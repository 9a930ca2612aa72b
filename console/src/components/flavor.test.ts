/** Short words for what a machine is made of. */
import { expect, test } from "vitest";

import { bytesText, gpuText, memoryText } from "./flavor.ts";

test("a GPU is whole, several, or a part of one", () => {
  expect(gpuText({ model: "A100", count: 2, slice: 1 })).toBe("2 × A100");
  expect(gpuText({ model: "T4", count: 1, slice: 4 })).toBe("1/4 T4");
});

test("memory and files are said in binary units", () => {
  expect([256, 1024, 1536, 65_536].map(memoryText)).toEqual([
    "256 MiB",
    "1 GiB",
    "1.5 GiB",
    "64 GiB",
  ]);
  expect([0, 1023, 1024, 5 * 2 ** 30].map(bytesText)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "5.0 GiB",
  ]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { z } from "zod";

import { fields, table } from "./table.ts";
import { between, bytes, duration, gpu, mebibytes, money, safe, time } from "./text.ts";
import { gpuText, pair, pairs, seconds, sizeGib, sizeMib } from "./values.ts";

function read<T>(schema: z.ZodType<T>, text: unknown): T | string {
  const parsed = schema.safeParse(text);
  return parsed.success ? parsed.data : "refused";
}

test("sizes need a unit and a whole number of it", () => {
  expect(["4GiB", "512MiB", "1.5GiB", "1TiB"].map((text) => read(sizeMib, text))).toEqual([
    4096, 512, 1536, 1_048_576,
  ]);
  expect(["40GiB", "1TiB"].map((text) => read(sizeGib, text))).toEqual([40, 1024]);
  for (const text of ["40", "512MiB", "4GB", "", "-1GiB", "GiB"]) {
    expect(read(sizeGib, text)).toBe("refused");
  }
});

test("durations are numbers with units, largest first, or seconds", () => {
  expect(
    ["90", "90s", "30m", "2h", "1h30m", "3d", "1d1h1m1s"].map((t) => read(seconds, t)),
  ).toEqual([90, 90, 1800, 7200, 5400, 259_200, 90_061]);
  for (const text of ["", "h", "1x", "30m1h", "-1", "1.5h"]) {
    expect(read(seconds, text)).toBe("refused");
  }
});

test("a duration that is shown means the same when typed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 3599 }), (count) => {
      const typed = duration(count * 1000)
        .replace(" min ", "m")
        .replace(" s", "s");
      expect(read(seconds, typed)).toBe(count);
    }),
  );
});

test("pairs and GPUs", () => {
  expect(read(pair, "A=b=c")).toEqual(["A", "b=c"]);
  expect(read(pair, "A=")).toEqual(["A", ""]);
  expect([read(pair, "=b"), read(pair, "A")]).toEqual(["refused", "refused"]);
  expect(read(pairs, ["A=1", "A=2", "B="])).toEqual({ A: "2", B: "" });
  expect(read(pairs, undefined)).toEqual({});
  const [whole, two, quarter] = ["A100", "A100:2", "A100/4"].map((text) => gpuText.parse(text));
  expect(whole).toEqual({ model: "A100", count: 1, slice: 1 });
  expect([two, quarter].map((ask) => gpu(ask ?? null))).toEqual(["2 x A100", "1/4 A100"]);
  for (const text of ["", "A100:", "A100:0", "A 100", "A100/x"]) {
    expect(read(gpuText, text)).toBe("refused");
  }
});

test("amounts stay the strings that the API gave", () => {
  expect(money("9999999999999999.99")).toBe("9999999999999999.99 CNY");
  expect(money(null)).toBe("-");
});

test("what is shown of sizes, times and spans", () => {
  expect([512, 1024, 1536, 3_145_728].map(mebibytes)).toEqual([
    "512 MiB",
    "1 GiB",
    "1.5 GiB",
    "3072 GiB",
  ]);
  expect([0, 1023, 2560, 3 * 2 ** 30].map((count) => bytes(count))).toEqual([
    "0 B",
    "1023 B",
    "2.5 KiB",
    "3.0 GiB",
  ]);
  expect([400, 59_900, 184_000, 7_500_000, 200_000_000].map(duration)).toEqual([
    "0.4 s",
    "59.9 s",
    "3 min 4 s",
    "2 h 5 min",
    "2 d 7 h",
  ]);
  expect(between("2026-05-04T02:03:04Z", "2026-05-04T02:03:05.5Z")).toBe("1.5 s");
  expect(time("2026-05-04T02:03:04Z")).toMatch(/^2026-05-0[345] [0-9:]{8}$/);
});

test("a table's columns stand under each other, also with wide characters", () => {
  const rows = [
    { name: "中文", value: 7 },
    { name: "plain", value: 12_345 },
  ];
  const text = table(
    [
      { title: "NAME", cell: (row) => row.name },
      { title: "VALUE", cell: (row) => row.value, right: true },
      { title: "END", cell: () => "x" },
    ],
    rows,
  );
  expect(text).toBe("NAME   VALUE  END\n中文       7  x\nplain  12345  x\n");
  expect(
    fields([
      ["A", "1"],
      ["Longer", "中"],
      ["Gone", undefined],
    ]),
  ).toBe("A:       1\nLonger:  中\n");
});

test("nothing that is shown can move the cursor or turn the text around", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      // oxlint-disable-next-line no-control-regex -- these must not be there
      expect(safe(text)).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/u);
    }),
  );
});

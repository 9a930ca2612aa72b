import { expect, test } from "vitest";

import { parseMilli, parseUnits, printBytes, printMilli } from "./quantity.ts";

test("CPU in thousandths, rounded up", () => {
  const read = ["4", "2667m", "0.1", "1e1", "1500u", ".5", "2."].map(parseMilli);
  expect(read).toEqual([4000n, 2667n, 100n, 10_000n, 2n, 500n, 2000n]);
});

test("memory in bytes, binary and decimal", () => {
  const read = ["1Gi", "50M", "1.5Ki", "2474639361", "1E", "12e2", "1e-1", "-1Ki"].map(parseUnits);
  expect(read).toEqual([
    1_073_741_824n,
    50_000_000n,
    1536n,
    2_474_639_361n,
    10n ** 18n,
    1200n,
    1n,
    -1024n,
  ]);
});

test("what is no quantity is none", () => {
  const read = ["", ".", "four", "4GB", "1Kie3", "1 Gi", "0x10"].map(parseUnits);
  expect(read).toEqual(read.map(() => undefined));
});

test("printed as Kubernetes prints it", () => {
  expect([4000n, 2667n, 0n].map(printMilli)).toEqual(["4", "2667m", "0"]);
  expect([0n, 1292n << 20n, 8n << 30n, 2_474_639_361n].map(printBytes)).toEqual([
    "0",
    "1292Mi",
    "8Gi",
    "2474639361",
  ]);
});

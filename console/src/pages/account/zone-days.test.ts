import { expect, test } from "vitest";

import { dayBegin, dayEnd } from "./zone-days.ts";

test("a local day as instants, also when the clocks change on it", () => {
  expect(dayBegin("2026-05-04", "Asia/Shanghai")).toBe("2026-05-03T16:00:00.000Z");
  expect(dayEnd("2026-05-04", "Asia/Shanghai")).toBe("2026-05-04T16:00:00.000Z");
  expect(dayBegin("2026-03-29", "Europe/Berlin")).toBe("2026-03-28T23:00:00.000Z");
  expect(dayEnd("2026-03-29", "Europe/Berlin")).toBe("2026-03-29T22:00:00.000Z");
  expect(dayEnd("2026-12-31", "UTC")).toBe("2027-01-01T00:00:00.000Z");
});

/** The check by hand against the contract's schema: they accept the same, to the letter. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { usageEvent } from "#contract/schemas/metering.ts";

import { canonicalText, unitOf } from "./event.ts";
import { anyEvent } from "./event-samples.ts";
import { parseEvent } from "./parse.ts";

const sample = anyEvent.map((event): Record<string, unknown> => JSON.parse(canonicalText(event)));

const oddValues: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  1e300,
  1_000_000,
  1_000_001,
  true,
  "",
  "0",
  "01",
  "-1",
  "1".repeat(18),
  "1".repeat(19),
  "a".repeat(100),
  "a".repeat(101),
  "a".repeat(128),
  "a".repeat(129),
  "/a",
  " a",
  "a b",
  'a"b',
  "a\u0000",
  "ü",
  "GPU",
  "lease",
  "2026-02-29T00:00:00Z",
  "2026-05-04T24:00:00Z",
  "2026-05-04T23:59:60Z",
  "2026-05-04T01:00:00z",
  "2026-05-04T01:00:00+00:00",
  "2026-05-04T01:00:00.000Z",
  "1999-12-31T23:59:59Z",
  "2099-12-31T23:59:59Z",
  "0190C2B4-0000-7000-8000-000000000001",
  "0190c2b4-0000-7000-8000-000000000001",
  [],
  {},
];

function changed(
  event: Record<string, unknown>,
  at: { readonly inData: boolean; readonly name: string; readonly value: unknown },
): unknown {
  const change = (fields: unknown): Record<string, unknown> =>
    Object.fromEntries([...Object.entries(Object(fields)), [at.name, at.value]]);
  return at.inData ? { ...event, data: change(event["data"]) } : change(event);
}

/** Whether both take it, or neither does. */
function agree(value: unknown): boolean {
  return (parseEvent(value).kind === "event") === usageEvent.safeParse(value).success;
}

test("what is parsed is the event that was written, with the unit as the sender says it", () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const unit = event.kind === "recorded" ? unitOf(event.sku) : undefined;
      const text = canonicalText(event);
      expect(parseEvent(JSON.parse(text))).toEqual({ kind: "event", event, unit });
      expect(agree(JSON.parse(text))).toBe(true);
    }),
  );
});

test("whatever is changed, added or left out, it says what the schema says", () => {
  const names = [
    ..."specversion type source id time datacontenttype data extra".split(" "),
    ..."tenant project request instance interval work plan sku unit units slice".split(" "),
    ..."from until billable reason retracts".split(" "),
  ];
  fc.assert(
    fc.property(
      sample,
      fc.constantFrom(...names),
      fc.oneof(fc.constantFrom(...oddValues), fc.string(), fc.double(), fc.date().map(String)),
      fc.boolean(),
      (event, name, value, inData) => {
        expect(agree(changed(event, { inData, name, value }))).toBe(true);
        const { [name]: _left, ...without } = event;
        expect(agree(without)).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(oddValues.filter((value) => !agree(value))).toEqual([]);
});

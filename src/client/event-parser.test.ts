import fc from "fast-check";
import { expect, test } from "vitest";

import { createEventParser, type ServerEvent } from "./event-parser.ts";
import { backoffMs, retryAfterMs, retryPolicy } from "./retry.ts";

const text =
  "\uFEFF: a comment\nid: 1\nevent: log\ndata: first\ndata:second\n\n" +
  "data: 中文 and a tail\r\nid: 2\r\n\r\nevent: nothing\n\nretry: 1500\ndata\rid\0: x\rid: 3\r\r" +
  "data: never finished\n";
const expected: ServerEvent[] = [
  { event: "log", data: "first\nsecond", id: "1" },
  { event: "message", data: "中文 and a tail", id: "2" },
  { event: "message", data: "", id: "3" },
];

test("events are the same however their bytes are cut", () => {
  const bytes = new TextEncoder().encode(text);
  const property = fc.property(
    fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 20 }),
    (cuts) => {
      const parser = createEventParser();
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
      const events = ends.flatMap((end, index) =>
        parser.push(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)),
      );
      expect(events).toEqual(expected);
      expect(parser.retryMs()).toBe(1500);
    },
  );
  // A counterexample is printed with its seed.
  fc.assert(property, { numRuns: 300 });
});

test("an id from before goes on until another comes", () => {
  const parser = createEventParser("41");
  expect(parser.push(Buffer.from("data: x\n\n"))).toEqual([
    { event: "message", data: "x", id: "41" },
  ]);
});

test("an event without end is refused", () => {
  const parser = createEventParser();
  const lump = Buffer.from(`data: ${"x".repeat(1024 * 1024)}\n`);
  expect(() => {
    for (let count = 0; count < 8; count += 1) parser.push(lump);
  }).toThrow("too large");
});

test("delays double up to a bound; Retry-After is seconds or a date", () => {
  expect([1, 2, 3, 9].map((attempt) => backoffMs(retryPolicy, attempt, 1))).toEqual([
    200, 400, 800, 5000,
  ]);
  expect(backoffMs(retryPolicy, 1, 0)).toBe(100);
  expect(retryAfterMs("7", 0)).toBe(7000);
  expect(retryAfterMs("Thu, 01 Jan 1970 00:00:09 GMT", 4000)).toBe(5000);
  expect(retryAfterMs("soon", 0)).toBeUndefined();
  expect(retryAfterMs(null, 0)).toBeUndefined();
});

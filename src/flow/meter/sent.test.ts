/** Canonical bytes by pattern against any JSON by its fields: they read the same, or the pattern gives up. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalText } from "./event.ts";
import { anyEvent } from "./event-samples.ts";
import type { ParsedEvent } from "./parse.ts";
import { canonicalTexts, readCanonical, sentValues } from "./sent.ts";

/** `undefined` where the body, or one of its texts, is not plainly canonical. */
function readAll(body: string): ParsedEvent[] | undefined {
  const read = canonicalTexts(body, eventsMax)?.map(({ text }) => readCanonical(text));
  return read?.every((each) => each !== undefined) === true ? read : undefined;
}

const eventsMax = 20;
const events = fc.array(anyEvent, { minLength: 1, maxLength: eventsMax });

test("a batch of canonical events is read as its JSON is, and each text is there", () => {
  fc.assert(
    fc.property(events, (batch) => {
      const texts = batch.map(canonicalText);
      const text = `[${texts.join(",")}]`;
      const other = sentValues(JSON.parse(text));
      expect(readAll(text)).toEqual(other.parsed);
      expect(canonicalTexts(text, eventsMax)).toEqual(
        batch.map(({ source, id, tenantId }, index) => ({
          text: texts[index],
          source,
          id,
          tenantId,
        })),
      );
      expect(batch.map((_, index) => other.textOf(index))).toEqual(texts);
    }),
  );
});

test("whatever is changed in the text: it is read as its JSON is, or not at all", () => {
  const pieces = [
    '"',
    ",",
    "}",
    "]",
    "[",
    " ",
    "0",
    "9",
    "a",
    "Z",
    "\\u0041",
    "null",
    "true",
    "1e3",
  ];
  fc.assert(
    fc.property(
      events,
      fc.nat(),
      fc.nat({ max: 4 }),
      fc.oneof(fc.constantFrom(...pieces, ""), fc.string({ maxLength: 3 })),
      (batch, place, length, piece) => {
        const text = `[${batch.map(canonicalText).join(",")}]`;
        const at = place % text.length;
        const changed = text.slice(0, at) + piece + text.slice(at + length);
        const read = readAll(changed);
        if (read === undefined) return;
        const values: unknown = JSON.parse(changed);
        expect(Array.isArray(values) && read).toEqual(
          Array.isArray(values) && sentValues(values).parsed,
        );
      },
    ),
    { numRuns: 3_000 },
  );
});

test("nothing, too much, and a day that is none are left to the reader of JSON", () => {
  const [event] = fc.sample(anyEvent, { numRuns: 1, seed: 1 });
  const text = event === undefined ? "" : canonicalText(event);
  expect(canonicalTexts(`[${text},${text}]`, 2)).toHaveLength(2);
  expect(canonicalTexts(`[${text},${text}]`, 1)).toBeUndefined();
  for (const odd of [
    "",
    "[",
    "[]",
    "{}",
    text,
    `[${text}`,
    `[${text},]`,
    `[${text}] `,
    ` [${text}]`,
  ]) {
    expect(canonicalTexts(odd, 2)).toBeUndefined();
  }
  const noDay = text.replace(/"time":"[^"]*"/, '"time":"2026-02-30T00:00:00Z"');
  expect(readAll(`[${noDay}]`)).toBeUndefined();
});

/** Base64 against the platform's: the same bytes, and only one text for each. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { fromBase64, toBase64 } from "./base64.ts";

test("every run of bytes is written as the platform does and read back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(toBase64(bytes)).toBe(text);
      expect(fromBase64(text)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test("a text is read only if it is the one that would be written", () => {
  const any = fc.string({
    unit: fc.constantFrom("A", "B", "a", "0", "+", "/", "=", "-", " ", "\u0100"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(any, (text) => {
      const read = fromBase64(text);
      const isCanonical = Buffer.from(text, "base64").toString("base64") === text;
      expect(read === undefined ? undefined : toBase64(read)).toBe(isCanonical ? text : undefined);
    }),
    { numRuns: 5000 },
  );
});

test.each(["A", "AA", "AAA", "====", "A===", "AB==", "AAB=", "AA==AA==", "AA A"])(
  "%s is no base64",
  (text) => {
    expect(fromBase64(text)).toBeUndefined();
  },
);

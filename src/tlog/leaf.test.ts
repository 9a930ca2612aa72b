/** Canonical JSON against the package that implements RFC 8785, and the leaf's one form. */
import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";

import { canonicalJson, leafText } from "./leaf.ts";
import { nodeHasher } from "./node-crypto.ts";
import { plainLeaf } from "./sample.ts";

test("canonical JSON is that of RFC 8785", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
    { numRuns: 2000 },
  );
});

test("keys are in order of UTF-16 code units, as the standard's example has them", () => {
  const keys = ["\u20ac", "\r", "\ufb33", "1", "\u{1f600}", "\u0080", "\u00f6"];
  const value = Object.fromEntries(keys.map((key) => [key, key]));
  expect(JSON.parse(canonicalJson(value))).toEqual(value);
  expect(canonicalJson(value)).toBe(canonicalize(value));
});

test("what has no canonical form is refused", () => {
  expect(() => canonicalJson({ a: Number.NaN })).toThrow("finite");
  expect(() => canonicalJson({ a: "\ud800" })).toThrow("well-formed");
  expect(() => canonicalJson({ a: 1n })).toThrow("plain data");
});

test("a leaf is the canonical form of event and salt, and its hash is of the UTF-8", () => {
  const event = { type: "t", id: "1", data: { name: "机房 €" } };
  const salt = new Uint8Array(16).fill(255);
  const text = leafText(canonicalJson(event), salt);
  expect(text).toBe(canonicalize({ salt: "/////////////////////w==", event }));
  expect(nodeHasher().leafOfText(text)).toEqual(plainLeaf(text));
  expect(nodeHasher().leaf(new Uint8Array(Buffer.from(text)))).toEqual(plainLeaf(text));
});

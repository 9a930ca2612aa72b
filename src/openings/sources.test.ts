import fc from "fast-check";
import { expect, test } from "vitest";

import { sourcesOf } from "./sources.ts";

test("networks are written in one way, and each once", () => {
  const asked = ["203.0.113.0/24", "2001:DB8:0:0::/32", "::/0", "0.0.0.0/0", "2001:db8::/32"];
  expect(sourcesOf(asked)).toEqual(["203.0.113.0/24", "2001:db8::/32", "::/0", "0.0.0.0/0"]);
});

test.each([
  ["10.0.0.5/8", "Write 10.0.0.0/8 for the network, or 10.0.0.5/32 for the address alone."],
  ["2001:db8::1/64", "Write 2001:db8::/64 for the network, or 2001:db8::1/128 for"],
  ["203.0.113.7", "For that address alone write 203.0.113.7/32."],
  ["2001:db8::1", "For that address alone write 2001:db8::1/128."],
  ["::ffff:203.0.113.0/120", "write it as IPv4"],
  ["10.0.0.0/33", "is no network"],
  ["010.0.0.0/8", "is no network"],
  ["10/8", "is no network"],
  ["example.org", "is no network"],
  ["fe80::%eth0/64", "is no network"],
  ["", "is no network"],
])("%s is refused, with what to write", (source, said) => {
  expect(() => sourcesOf([source])).toThrow(said);
});

/** IPv4 in the form of IPv6: written as such, or as `::ffff:` and two parts. */
function isMapped(source: string): boolean {
  return source.includes(":") && /\.|^(?:0*:)+:?ffff:/iu.test(source);
}

test("every address alone is accepted, and stays as it was written then", () => {
  const v4 = fc.ipV4().map((address) => `${address}/32`);
  const v6 = fc.ipV6().map((address) => `${address}/128`);
  fc.assert(
    fc.property(fc.oneof(v4, v6), (source) => {
      fc.pre(!isMapped(source));
      const once = sourcesOf([source]);
      expect(once).toHaveLength(1);
      expect(sourcesOf(once)).toEqual(once);
    }),
  );
});

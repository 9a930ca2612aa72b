import fc from "fast-check";
import { expect, test } from "vitest";

import { logData, parsePosition, wholeCharacters } from "./log-data.ts";

function bytesOf(data: ReturnType<typeof logData>): Buffer {
  return "text" in data ? Buffer.from(data.text) : Buffer.from(data.base64, "base64");
}

test("any bytes, cut anywhere, arrive as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (array, max) => {
      const log = Buffer.from(array);
      const pieces: Buffer[] = [];
      for (let at = 0; at < log.length; at += pieces.at(-1)?.length ?? 0) {
        pieces.push(bytesOf(logData(wholeCharacters(log.subarray(at, at + max)))));
        expect(pieces.at(-1)?.length).toBeGreaterThan(0);
      }
      expect(Buffer.concat(pieces)).toEqual(log);
    }),
  );
});

test("text stays text wherever a piece ends", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 4, max: 9 }), (text, max) => {
      const log = Buffer.from(text);
      for (let at = 0; at < log.length;) {
        const piece = wholeCharacters(log.subarray(at, at + max));
        expect(logData(piece)).toHaveProperty("text");
        at += piece.length;
      }
    }),
  );
});

test("what is no UTF-8 travels as base64", () => {
  expect(logData(Buffer.from([0xff, 0x0a]))).toEqual({ base64: "/wo=" });
  expect(logData(Buffer.from("a\u0000b"))).toEqual({ text: "a\u0000b" });
});

test("an event's id is a place in a log; anything else is none", () => {
  expect(parsePosition("2:4096")).toEqual({ attempt: 2, offset: 4096 });
  for (const text of [undefined, "", "5", "0:1", "1:-1", "1:x", "1:1 ", "1:1;drop"]) {
    expect(parsePosition(text)).toBeUndefined();
  }
});

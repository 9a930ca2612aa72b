/** Messages survive any bytes, any cut and any interruption; and the agent reads what we write. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";

import { encodeFrame, FrameDecoder, lineBytesMax } from "./codec.ts";

const message = fc.record({ id: fc.nat(), text: fc.string({ unit: "grapheme" }) });
const bytes = fc
  .array(fc.constantFrom(0, 9, 10, 27, 101, 110, 255), { maxLength: 200 })
  .map((list) => Buffer.from(list));

test("what goes in comes out, cut anywhere", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, fc.option(bytes, { nil: undefined })), { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      (sent, pieceBytes) => {
        const wire = Buffer.concat(sent.map(([head, payload]) => encodeFrame(head, payload)));
        const decoder = new FrameDecoder();
        const got = [];
        for (let at = 0; at < wire.length; at += pieceBytes) {
          got.push(...decoder.push(wire.subarray(at, at + pieceBytes)));
        }
        expect(got).toEqual(sent.map(([head, payload]) => ({ message: head, payload })));
      },
    ),
  );
});

test("a message whose sender was interrupted costs itself only", () => {
  fc.assert(
    fc.property(message, bytes, fc.nat(), (head, payload, cut) => {
      const whole = encodeFrame(head, payload);
      const decoder = new FrameDecoder();
      decoder.push(whole.subarray(0, cut % whole.length));
      const got = decoder.push(whole);
      expect(got.at(-1)).toEqual({ message: head, payload });
    }),
  );
});

test("an endless line is dropped, not kept", () => {
  const decoder = new FrameDecoder();
  for (let sent = 0; sent < lineBytesMax * 2; sent += 65_536)
    decoder.push(Buffer.alloc(65_536, 65));
  expect(decoder.push(encodeFrame({ id: 1 }))).toEqual([
    { message: { id: 1 }, payload: undefined },
  ]);
});

/** The agent's own reader and writer of JSON, run on this machine's Perl. */
function throughTheAgent(text: string): string {
  const parts = join(import.meta.dirname, "agent", "20-json.pl");
  const program = `require $ARGV[0]; binmode STDIN; binmode STDOUT; local $/;
    my $text = <STDIN>; my $value = eval { from_json($text) };
    print $@ ? "error: $@" : to_json($value);`;
  return execFileSync("perl", ["-e", program, parts], { input: text }).toString("utf8");
}

test("the agent reads JSON as we write it", () => {
  const value = {
    quotes: 'a "b" \\ /',
    lines: "a\nb\r\tc\u0001",
    words: "渠 мельница 🏞",
    list: ["1", ["x"], []],
    object: { empty: {} },
    none: null,
  };
  const escaped = JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  for (const text of [JSON.stringify(value), escaped]) {
    expect(JSON.parse(throughTheAgent(text))).toEqual(value);
  }
});

test.each(["", "{", '{"a":}', '["a"', '"a', "[1,]", "{} x", "[".repeat(100)])(
  "the agent refuses %j",
  (text) => {
    expect(throughTheAgent(text)).toMatch(/^error: /);
  },
);

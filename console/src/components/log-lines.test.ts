/** A log's lines are the same however its bytes were cut into events. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { emptyLog, withText, type LogLines } from "./log-lines.ts";

function read(pieces: readonly string[], attempt = 1): LogLines {
  return pieces.reduce(
    (log, text, index) =>
      withText(log, { id: `${attempt}:${index}`, data: JSON.stringify({ text }) }),
    emptyLog,
  );
}

test("pieces make the same lines as the whole", () => {
  const word = fc.constantFrom("a", "bc", "\n", "\n\n", " ", "é", "文");
  const seed = Date.now();
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const whole = words.join("");
      expect(read(words.length === 0 ? [""] : words).lines.join("\n")).toBe(
        read([whole]).lines.join("\n"),
      );
    }),
    { seed },
  );
});

test("markup is text, colors go, a carriage return begins the line anew", () => {
  expect(read(["<b>x</b>\n\u001B[31mred\u001B[0m\n10 %\r50 %\r100 %\n"]).lines).toEqual([
    "<b>x</b>",
    "red",
    "100 %",
  ]);
  expect(read(["half ", "line", "\nnext"])).toMatchObject({
    lines: ["half line", "next"],
    isOpen: true,
  });
});

test("another attempt begins below a line; bytes that are no text are shown as far as they go", () => {
  const second = withText(read(["one\n"]), { id: "2:0", data: JSON.stringify({ text: "two\n" }) });
  expect(second.lines).toEqual(["one", "——— 2 ———", "two"]);
  const bytes = withText(emptyLog, { id: "1:0", data: JSON.stringify({ base64: btoa("ok\n") }) });
  expect(bytes.lines).toEqual(["ok"]);
});

test("a line of 10,000 characters is cut, and 5,000 lines are kept", () => {
  expect(read(["x".repeat(10_000)]).lines.map((line) => line.length)).toEqual([4000, 4000, 2000]);
  expect(read(Array.from({ length: 5000 }, (_unused, index) => `${index}\n`)).lines).toHaveLength(
    5000,
  );
});

import { expect, test } from "vitest";

import { isWholeTar, logStep, orderLines } from "./rules.ts";

const bytesOf = (text: string) => Buffer.from(text);
const written = (step: ReturnType<typeof logStep>) =>
  step.write === undefined ? undefined : [step.write.at, Buffer.from(step.write.bytes).toString()];

test("what comes next is written, what repeats once more is not, what overlaps only as far as it is new", () => {
  const here = { sizeBytes: 5, bytesMax: 100 };
  const next = logStep(here, { offset: 5, bytes: bytesOf("abc") });
  expect([written(next), next.wanted, next.gap]).toEqual([[5, "abc"], 8, false]);
  const again = logStep(here, { offset: 2, bytes: bytesOf("abc") });
  expect([written(again), again.wanted, again.gap]).toEqual([undefined, 5, false]);
  const over = logStep(here, { offset: 3, bytes: bytesOf("xxabc") });
  expect([written(over), over.wanted, over.gap]).toEqual([[5, "abc"], 8, false]);
  const nothing = logStep(here, { offset: 5, bytes: bytesOf("") });
  expect([written(nothing), nothing.wanted, nothing.gap]).toEqual([undefined, 5, false]);
});

test("of what begins beyond nothing is taken, and the offset that is wanted is told", () => {
  const gap = logStep({ sizeBytes: 5, bytesMax: 100 }, { offset: 6, bytes: bytesOf("abc") });
  expect([written(gap), gap.wanted, gap.gap]).toEqual([undefined, 5, true]);
});

test("over the limit it is cut to the byte, and the rest counts as sent", () => {
  const cut = logStep({ sizeBytes: 5, bytesMax: 7 }, { offset: 5, bytes: bytesOf("abc") });
  expect([written(cut), cut.wanted, cut.gap]).toEqual([[5, "ab"], 8, false]);
  const full = { sizeBytes: 7, bytesMax: 7 };
  const beyond = logStep(full, { offset: 100, bytes: bytesOf("abc") });
  expect([written(beyond), beyond.wanted, beyond.gap]).toEqual([undefined, 103, false]);
  expect(logStep(full, { offset: 0, bytes: bytesOf("") }).wanted).toBe(7);
  const none = logStep({ sizeBytes: 0, bytesMax: 0 }, { offset: 0, bytes: bytesOf("abc") });
  expect([written(none), none.wanted]).toEqual([undefined, 3]);
});

test("sent in any pieces, in any order, each any number of times, a log is what it was (seeded)", () => {
  const log = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
  for (let seed = 1; seed <= 200; seed += 1) {
    let state = seed;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    const bytesMax = 1 + random(1500);
    let here = Buffer.alloc(0);
    for (let sent = 0, turns = 0; sent < log.length; turns += 1) {
      expect(turns, `seed ${seed}`).toBeLessThan(100_000);
      const offset = random(4) === 0 ? random(log.length) : sent;
      const bytes = log.subarray(offset, offset + random(200));
      const step = logStep({ sizeBytes: here.length, bytesMax }, { offset, bytes });
      expect(step.write?.at ?? here.length, `seed ${seed}`).toBe(here.length);
      here = Buffer.concat([here, step.write?.bytes ?? Buffer.alloc(0)]);
      sent = Math.min(step.wanted, log.length);
    }
    expect(here.equals(log.subarray(0, bytesMax)), `seed ${seed}`).toBe(true);
  }
});

test("an archive that ends as archives end is whole; any other is not", () => {
  const end = Buffer.alloc(1024);
  expect(isWholeTar(1024, end)).toBe(true);
  expect(isWholeTar(10_240, end)).toBe(true);
  expect(isWholeTar(10_241, end)).toBe(false);
  expect(isWholeTar(512, end.subarray(512))).toBe(false);
  expect(isWholeTar(10_240, Buffer.concat([end.subarray(1), Buffer.from("x")]))).toBe(false);
  expect(isWholeTar(0, Buffer.alloc(0))).toBe(false);
});

test("orders are said in words for a shell", () => {
  expect(orderLines({ to: "run" }, 12)).toBe("run\noffset 12\n");
  expect(orderLines({ to: "interrupt", graceSeconds: 40 }, 0)).toBe("interrupt 40\noffset 0\n");
});

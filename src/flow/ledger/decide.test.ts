import fc from "fast-check";
import { expect, test } from "vitest";

import { localDay } from "#kernel/calendar.ts";
import { fen, negateFen, parseFen, sumFen } from "#kernel/money.ts";

import {
  adjustment,
  charge,
  creditNote,
  creditOf,
  hold,
  releaseHold,
  topUp,
  voided,
  type JournalDraft,
} from "./decide.ts";

const amounts = fc.bigInt({ min: 1n, max: 10n ** 12n }).map(fen);
const lines = fc.array(
  fc.record({
    sku: fc.constantFrom("gpu.T4", "cpu.core", "mem.gib", "storage"),
    amount: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }).map(fen),
  }),
  { maxLength: 6 },
);

const drafts: fc.Arbitrary<JournalDraft | undefined> = fc.oneof(
  amounts.map((amount) => topUp({ reference: "r", amount })),
  amounts.map((amount) => hold({ reference: "r", amount, description: "" })),
  amounts.map((amount) => releaseHold({ reference: "r", amount })),
  amounts.map((amount) => creditNote({ reference: "r", amount, reason: "sorry" })),
  lines.map((list) => charge({ day: localDay("2026-05-04"), lines: list })),
  lines.map(([line]) =>
    adjustment({
      serviceDay: localDay("2026-05-04"),
      revision: 1,
      line: line ?? { sku: "cpu.core", amount: fen(0n) },
    }),
  ),
);

test("R-LED-1: every journal sums to zero and has no posting of zero", () => {
  fc.assert(
    fc.property(drafts, (draft) => {
      const postings = draft?.postings ?? [];
      expect(sumFen(postings.map(({ amount }) => amount))).toBe(0n);
      expect(postings.some(({ amount }) => amount === 0n)).toBe(false);
      expect(postings.length).not.toBe(1);
    }),
  );
});

test("R-LED-1: a journal and its void cancel out, account by account", () => {
  fc.assert(
    fc.property(drafts, (draft) => {
      fc.pre(draft !== undefined);
      const mirror = voided({ id: "j", postings: draft.postings, reason: "wrong" });
      expect(mirror.postings.map((each) => ({ ...each, amount: negateFen(each.amount) }))).toEqual(
        draft.postings,
      );
    }),
  );
});

test("a charge takes from the wallet what its lines say, each to revenue with its SKU", () => {
  const draft = charge({
    day: localDay("2026-05-04"),
    lines: [
      { sku: "cpu.core", amount: parseFen("12.00") },
      { sku: "gpu.A10", amount: parseFen("0.00") },
      { sku: "mem.gib", amount: parseFen("9.60") },
    ],
  });
  expect(draft).toMatchObject({
    key: "charge:2026-05-04",
    postings: [
      { account: "wallet", amount: -2160n },
      { account: "revenue", amount: 1200n, note: "cpu.core" },
      { account: "revenue", amount: 960n, note: "mem.gib" },
    ],
  });
  expect(charge({ day: localDay("2026-05-04"), lines: [] })).toBeUndefined();
});

test("R-DAY-3: available = balance - provisional - held", () => {
  const credit = creditOf({
    wallet: parseFen("70.00"),
    held: parseFen("30.00"),
    provisional: parseFen("12.50"),
  });
  expect(credit).toMatchObject({ balance: 10_000n, available: 5750n });
});

test("amounts of zero or less are bugs of the caller", () => {
  expect(() => topUp({ reference: "r", amount: fen(0n) })).toThrow("more than zero");
  expect(() => hold({ reference: "r", amount: fen(-1n), description: "" })).toThrow("more than");
});

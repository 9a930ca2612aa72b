import fc from "fast-check";
import { expect, test } from "vitest";

import { before, inOrder, type Waiting } from "./decide.ts";

const entries = fc.array(
  fc.record({
    requestId: fc.uuid(),
    priority: fc.constantFrom(10, 20, 30),
    enqueuedAt: fc.integer({ min: 0, max: 20 }),
  }),
);

function at(requestId: string, priority: number, enqueuedAt: number): Waiting {
  return { requestId, priority, enqueuedAt };
}

test("priority comes first, then age, then the id", () => {
  const queue = [at("d", 30, 1), at("c", 10, 9), at("b", 30, 1), at("a", 20, 5)];
  expect(inOrder(queue).map(({ requestId }) => requestId)).toEqual(["c", "a", "b", "d"]);
});

test("the order is one, whatever order the entries come in", () => {
  fc.assert(
    fc.property(entries, fc.infiniteStream(fc.nat()), (queue, noise) => {
      const shuffled = queue
        .map((entry) => ({ entry, key: noise.next().value ?? 0 }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ entry }) => entry);
      expect(inOrder(shuffled)).toEqual(inOrder(queue));
    }),
  );
});

test("of two entries one is before the other, and nobody overtakes an older equal", () => {
  fc.assert(
    fc.property(entries, (queue) => {
      const ordered = inOrder(queue);
      for (const [index, entry] of ordered.entries()) {
        const next = ordered[index + 1];
        if (next === undefined || next.requestId === entry.requestId) continue;
        expect(before(entry, next)).toBeLessThan(0);
        expect(before(next, entry)).toBeGreaterThan(0);
      }
    }),
  );
});

/** The order of the queue, and the shares that move it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { hourMs, now, pool, snapshot, someSnapshot, work } from "#test/random-queue.ts";

import { inDueOrder, overtakingMs } from "./due.ts";
import { plan, usualRules } from "./policy.ts";
import { decayed, overuse, used } from "./shares.ts";
import type { RunningWork, Usage } from "./work.ts";

describe("the order", () => {
  test("nobody is overtaken by who asks later than the bound", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const shares = overuse(of.usage, usualRules.halfLifeMs);
        const order = inDueOrder(of.waiting, shares, usualRules).map((due) => due.work);
        for (const [i, first] of order.entries()) {
          for (const later of order.slice(i + 1)) {
            expect(first.askedAt - later.askedAt).toBeLessThanOrEqual(overtakingMs(usualRules));
          }
        }
      }),
    );
  });

  test("a large job starts within the bound though small ones never stop coming", () => {
    const step = 2 * hourMs;
    const large = work({
      id: "large",
      units: 24,
      gang: true,
      askedAt: now,
      estimateMs: 5 * hourMs,
    });
    let active: RunningWork[] = [];
    let startedAt: number | undefined;
    const rules = { ...usualRules, wideMs: 0, reservationsMax: 1 };
    for (let at = now; startedAt === undefined; at += step) {
      expect(at - now).toBeLessThan(overtakingMs(rules) + 24 * hourMs);
      active = active.filter(({ endsAt }) => endsAt > at);
      const small = Array.from({ length: 30 }, (_, i) =>
        work({ id: `${at}-${i}`, askedAt: at, estimateMs: 3 * hourMs, tenantId: "bob" }),
      );
      const made = plan(snapshot({ now: at, waiting: [large, ...small], running: active }), rules);
      if (made.starts.some(({ id }) => id === "large")) startedAt = at;
      for (const { id, parts } of made.starts) {
        const endsAt = at + 3 * hourMs;
        active.push({ id, tenantId: "bob", projectId: "p", pool, parts, endsAt });
      }
    }
  });

  test("a clock that jumps does not reorder the queue", () => {
    fc.assert(
      fc.property(someSnapshot, fc.integer({ min: -5_000, max: 5_000 }), (of, hours) => {
        const full = { ...of, running: [], limits: [], hosts: [] };
        const before = plan(full).waiting.map(({ id }) => id);
        const after = plan({ ...full, now: now + hours * hourMs }).waiting.map(({ id }) => id);
        expect(after).toEqual(before);
      }),
    );
  });

  test("S-12, S-05: package and tier customers go first among equals", () => {
    const waiting = [
      work({ id: "o" }),
      work({ id: "g", workClass: "gold", askedAt: now }),
      work({ id: "d", workClass: "diamond", askedAt: now }),
    ];
    const order = inDueOrder(waiting, new Map(), usualRules);
    expect(order.map((due) => due.work.id)).toEqual(["d", "g", "o"]);
  });

  test("work that would miss its deadline comes forward, by the bound at most", () => {
    const late = work({ id: "late", askedAt: now + hourMs, deadlineAt: now - hourMs });
    const [first] = inDueOrder([work({ id: "a" }), late], new Map(), usualRules);
    expect(first?.work.id).toBe("late");
    const afterwards = { ...late, askedAt: now + usualRules.deadlineMsMax + hourMs };
    const [before] = inDueOrder([work({ id: "a" }), afterwards], new Map(), usualRules);
    expect(before?.work.id).toBe("a");
  });
});

function none(tenantId: string): Usage {
  return { tenantId, unitMs: 0, asOf: now, weight: 1 };
}

describe("shares", () => {
  const day = 24 * hourMs;

  test("use halves with each half-life, whichever way it is booked", () => {
    const once = used(none("ann"), 100, now, day);
    expect(decayed(once, now + day, day)).toBeCloseTo(50);
    const late = used(used(none("ann"), 0, now + day, day), 100, now, day);
    expect(decayed(late, now + day, day)).toBeCloseTo(50);
  });

  test("equal tenants who always ask get equal shares of the pool", () => {
    const rules = { ...usualRules, halfLifeMs: day };
    let usage = [none("ann"), none("bob")];
    const got = new Map<string, number>();
    for (let turn = 0; turn < 40; turn += 1) {
      const at = now + turn * hourMs;
      // Ann asks with more and earlier; it gains her nothing.
      const waiting = [
        ...Array.from({ length: 60 }, (_, i) => work({ id: `a${i}`, askedAt: at - 1 })),
        ...Array.from({ length: 30 }, (_, i) =>
          work({ id: `b${i}`, tenantId: "bob", askedAt: at }),
        ),
      ];
      for (const { id } of plan(snapshot({ now: at, waiting, usage }), rules).starts) {
        const tenantId = id.startsWith("a") ? "ann" : "bob";
        got.set(tenantId, (got.get(tenantId) ?? 0) + 1);
        usage = usage.map((one) => (one.tenantId === tenantId ? used(one, 1, at, day) : one));
      }
    }
    const ratio = (got.get("ann") ?? 0) / (got.get("bob") ?? 1);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.12);
  });
});

/**
 * Expansions of a subscription's machine: really there, charged from then, really gone after; what
 * did not come is not charged, what extends goes with what it extends.
 */
import { expect, test } from "vitest";

import { orderCloud } from "./order-cloud.ts";
import { orderLife, small } from "./order-life.ts";

const hour = 3_600_000;
const cloud = await orderCloud("2026-01-31T14:30:00");
const { provider, until } = cloud;
const { rented, show, leaseIs, sizeOf, sizeIs, expand, expansionIs, money, told } =
  orderLife(cloud);

test("P-14, P-15, R-ELA-2: an expansion is really there, charged from then, and really gone after", async () => {
  const of = await rented("50000.00");
  const before = await money(of);
  const ordered = await expand(of, 3);
  expect(ordered).toMatchObject({ state: "resizing", amount: "3144.00" });
  const active = await expansionIs(of, ordered.id, "active");
  expect(sizeOf(of)).toEqual({ gpus: 2, cores: 24, gib: 128 });
  const [from, to] = [Date.parse(active.activatedAt ?? ""), Date.parse(active.endsAt ?? "")];
  expect(to - from).toBe(72 * hour);
  expect((await money(of)).revenue).toBe("18144.00");
  expect(Number((await money(of)).wallet)).toBe(Number(before.wallet) - 3144);
  cloud.advance(71 * hour);
  await cloud.look();
  expect(sizeOf(of)?.gpus).toBe(2);
  // The platform was away: what it gives too long is free.
  cloud.advance(5 * hour);
  const over = await expansionIs(of, ordered.id, "ended");
  expect(over.endsAt).toBe(active.endsAt);
  await until(async () => {
    const { revertedAt } = await of.api.call("getExpansion", {
      params: { expansionId: ordered.id },
    });
    expect(revertedAt).not.toBeNull();
    await Promise.resolve();
  });
  expect(sizeOf(of)).toEqual(small);
  expect((await money(of)).revenue).toBe("18144.00");
  expect((await leaseIs(of, "running")).flavor.gpu?.count).toBe(1);
});

test("R-ELA-2: what the platform could not add is not charged", async () => {
  const of = await rented("50000.00");
  const before = await money(of);
  provider.platform.faults.failNext("resize", { code: "refused", effect: "accepted" });
  const ordered = await expand(of, 2);
  const failed = await expansionIs(of, ordered.id, "ended");
  expect(failed).toMatchObject({ activatedAt: null, reason: { code: expect.any(String) } });
  expect(await money(of)).toEqual(before);
  expect(sizeOf(of)).toEqual(small);
  expect(await told(of)).toContain("expansion_failed");
});

test("R-ELA-3, R-ELA-6: released early, begun days are kept; what extends it goes with it", async () => {
  const of = await rented("50000.00");
  const { id: expansionId } = await expand(of, 3);
  const { endsAt } = await expansionIs(of, expansionId, "active");
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "extension", expansionId, days: 1 },
  });
  const extension = await of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 1, expectedAmount: quote.amount },
  });
  expect(extension).toMatchObject({ state: "scheduled", startsAt: endsAt, amount: "1048.00" });
  const again = of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 1, expectedAmount: quote.amount },
  });
  await expect(again).rejects.toMatchObject({ code: "conflict" });
  cloud.advance(30 * hour);
  const released = await of.api.call("releaseExpansion", { params: { expansionId } });
  expect(released).toMatchObject({ refund: "1048.00", expansion: { state: "ended" } });
  expect(await expansionIs(of, extension.id, "ended")).toMatchObject({ activatedAt: null });
  await sizeIs(of, small);
  expect(await money(of)).toMatchObject({ revenue: "17096.00" });
});

test("R-ELA-4, R-ELA-6: an extension goes on where the first ends; neither outlasts the term", async () => {
  const of = await rented("90000.00");
  const { paidUntil } = await show(of);
  const far = expand(of, 40);
  await expect(far).rejects.toMatchObject({
    code: "rule_violation",
    details: { code: "ELASTIC_EXCEEDS_TERM", paidUntil },
  });
  const { id: expansionId } = await expand(of, 1, { gpus: 0, vcpus: 2, memoryGiB: 0 });
  const { endsAt } = await expansionIs(of, expansionId, "active");
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "extension", expansionId, days: 2 },
  });
  // dearer than on demand, and said so.
  expect(quote.remarks.map(({ en }) => en)).toEqual([
    "Dearer than on demand: cpu.core: 20 a day, 12 on demand.",
  ]);
  const extension = await of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 2, expectedAmount: quote.amount },
  });
  cloud.advance(25 * hour);
  expect(await expansionIs(of, extension.id, "active")).toMatchObject({ activatedAt: endsAt });
  expect(sizeOf(of)).toEqual({ ...small, cores: 10 });
  expect((await money(of)).revenue).toBe("15120.00");
  cloud.advance(48 * hour);
  await expansionIs(of, extension.id, "ended");
  await sizeIs(of, small);
});

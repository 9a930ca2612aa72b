/** What a subscription needs, where moments that are hard to arrange decide. */
import { expect, test } from "vitest";

import type { LeaseFacts } from "#flow/provision/lease-facts.ts";
import { fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";
import { billingZone } from "#kernel/zone.ts";
import { aShape } from "#test/place-states.ts";

import { nextAction, nextLook, type SubscriptionView } from "./decide.ts";
import type { Expansion } from "./expansion-rows.ts";
import { withItems } from "./shape-math.ts";

const day = 86_400_000;
const [start, end] = [0, 30 * day];
const more = [{ sku: "cpu.core", units: 2 }];

const shape = aShape({ memoryMiB: 1024 });

const lease: LeaseFacts = {
  name: "train",
  wanted: "running",
  ended: false,
  endReason: null,
  shape,
  isSettled: true,
  isResizing: false,
  machine: "running",
  firstReadyAt: start,
  resizedAt: undefined,
  resizeFailedAt: undefined,
  capabilities: {},
};

const subscription: SubscriptionView["subscription"] = {
  tenantId: "t",
  id: "s",
  leaseId: "l",
  name: "train",
  state: "active",
  autoRenew: false,
  term: "monthly",
  sku: "vm.small",
  listPrice: fen(1n),
  discounts: [],
  amount: fen(1n),
  priceProfileId: "p",
  lockedMonthly: fen(1n),
  orderedAt: start,
  anchorAt: start,
  zone: billingZone,
  keptUntil: undefined,
  startOwed: false,
  endedAt: undefined,
  endReason: undefined,
  periods: [
    {
      number: 1,
      term: "monthly",
      fromMonth: 0,
      untilMonth: 1,
      fromAt: start,
      untilAt: end,
      sku: "vm.small",
      shape,
      monthlyList: fen(1n),
    },
  ],
};

function expansion(change: Partial<Expansion>): Expansion {
  return {
    tenantId: "t",
    id: "e",
    subscriptionId: "s",
    state: "active",
    items: more,
    days: 1,
    draft: {
      kind: "expansion",
      sku: "elastic",
      data: {},
      listPrice: fen(1n),
      discounts: [],
      service: undefined,
      priceProfileId: "p",
    },
    amount: fen(1n),
    priceProfileId: "p",
    operationId: "o",
    extendsId: undefined,
    orderedAt: start,
    startsAt: undefined,
    activatedAt: undefined,
    endsAt: undefined,
    revertedAt: undefined,
    reason: undefined,
    ...change,
  };
}

function view(change: {
  readonly subscription?: Partial<SubscriptionView["subscription"]>;
  readonly lease?: Partial<LeaseFacts>;
  readonly expansions?: readonly Expansion[];
  readonly operation?: "running" | "succeeded";
}): SubscriptionView {
  const { operation } = change;
  return {
    subscription: { ...subscription, ...change.subscription },
    lease: { ...lease, ...change.lease },
    upgrade: undefined,
    expansions: change.expansions ?? [],
    operations: new Map(operation === undefined ? [] : [["o", { state: operation }]]),
  };
}

test("R-ELA-1: what came only after the term was over is not charged", () => {
  const waits = [expansion({ state: "resizing" })];
  const late = view({
    subscription: { state: "lapsed", keptUntil: end + 7 * day },
    expansions: waits,
    operation: "succeeded",
  });
  expect(nextAction(late, end + 1)).toMatchObject({
    do: "fail-expansion",
    reason: { code: "term_over" },
  });
  const inTime = view({ expansions: waits, operation: "succeeded", lease: { resizedAt: 5 } });
  expect(nextAction(inTime, day)).toMatchObject({ do: "confirm-expansion", at: 5 });
});

test("R-VM-10: renewed, it starts before its size is seen to, and not while it is being resized", () => {
  const owed = { state: "active", startOwed: true } as const;
  const grown = { ...subscription.periods[0], shape: withItems(shape, more) };
  const periods = subscription.periods.map((period) => ({ ...period, ...grown }));
  const stopped = { wanted: "stopped", machine: "stopped" } as const;
  expect(nextAction(view({ subscription: { ...owed, periods }, lease: stopped }), day)).toEqual({
    do: "start-again",
  });
  const resizing = view({ subscription: owed, lease: { ...stopped, isResizing: true } });
  expect(nextAction(resizing, day)).toBeUndefined();
  expect(nextLook(resizing, day)).toBeLessThanOrEqual(day + 60_000);
});

test("R-VM-10: kept, stopped, it gives back what is over, and gets nothing more", () => {
  const kept = { state: "lapsed", keptUntil: end + 7 * day } as const;
  const stopped = { wanted: "stopped", machine: "stopped" } as const;
  const large = view({ subscription: kept, lease: { ...stopped, shape: withItems(shape, more) } });
  expect(nextAction(large, end + 1)).toEqual({ do: "resize", shape });
  const less: Shape = { ...shape, vcpus: 1 };
  const short = view({ subscription: kept, lease: { ...stopped, shape: less } });
  expect(nextAction(short, end + 1)).toBeUndefined();
  expect(nextAction(large, end + 7 * day)).toEqual({ do: "release" });
});

test("R-ELA-6: what extends another begins before that one ends", () => {
  const [first, next] = [
    expansion({ id: "a", activatedAt: start, endsAt: day }),
    expansion({ id: "b", state: "scheduled", extendsId: "a", startsAt: day }),
  ];
  const both = view({
    expansions: [first, next],
    lease: { shape: withItems(shape, more) },
  });
  expect(nextAction(both, day)).toMatchObject({ do: "begin-expansion", at: day });
  expect(nextAction(both, day - 1)).toBeUndefined();
  expect(nextLook(both, day - 1)).toBe(day);
});

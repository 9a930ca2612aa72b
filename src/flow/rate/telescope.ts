/**
 * Daily lines that add up to the month (R-RND-2). Per account, SKU and local month the exact total
 * C runs; the line of a day is round(C(d)) - round(C(d-1)). So the lines of any first days sum to
 * the rounded total so far, whatever way the usage arrived, and no fen drifts.
 */
import type { PricedSku, SkuPrice } from "#catalog/sku.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { subtractFen, type Fen } from "#kernel/money.ts";
import { add, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import { costOfStep, multipliersOfStep } from "./bands.ts";

/** Where an account's month of one SKU stands at the end of a day. Zero at the month's start. */
export interface Running {
  /** Cumulative quantity in base units (unit-seconds, byte-seconds). */
  readonly quantity: Rational;
  /** C: exact yuan, never rounded. */
  readonly exact: Rational;
}

export type { SkuPrice };

export const monthStart: Running = { quantity: zero, exact: zero };

export interface DayLine {
  readonly day: LocalDay;
  readonly sku: string;
  /** Of the day alone, in base units. */
  readonly quantity: Rational;
  readonly price: PricedSku;
  readonly multiplier: string;
  readonly amount: Fen;
}

export interface DayUse {
  readonly day: LocalDay;
  readonly quantity: Rational;
  readonly price: PricedSku;
}

export function lineOfDay(
  before: Running,
  { day, quantity, price }: DayUse,
): { readonly line: DayLine; readonly running: Running } {
  const step = { before: before.quantity, after: add(before.quantity, quantity) };
  const running = {
    quantity: step.after,
    exact: add(before.exact, costOfStep(price, step)),
  };
  return {
    running,
    line: {
      day,
      sku: price.sku,
      quantity,
      price,
      multiplier: multipliersOfStep(price, step),
      amount: subtractFen(roundToFen(running.exact), roundToFen(before.exact)),
    },
  };
}

/**
 * What buying a package gives and how long it lasts (R-PKG-1, R-PKG-2, R-PKG-6). Pure. Its balances
 * and what becomes of them are the ledger's.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import { addDays, addMonthsClamped, dayStart, type LocalDay } from "#kernel/calendar.ts";
import { addFen, type Fen } from "#kernel/money.ts";
import { multiply, rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import type { TimeZone } from "#kernel/zone.ts";

export interface PackageOffer {
  /** As on the price list: P1000. */
  readonly code: string;
  readonly price: Fen;
  readonly bonus: Fen;
  /** Both together. */
  readonly credit: Fen;
  readonly validMonths: number;
}

/** Only listed codes are sold; `undefined` for any other. */
export function packageOffer(profile: PriceProfile, code: string): PackageOffer | undefined {
  const listed = Object.hasOwn(profile.packages, code) ? profile.packages[code] : undefined;
  if (listed === undefined) return undefined;
  const bonus = roundToFen(multiply(rational(listed.price, 100n), listed.bonus_rate));
  return {
    code,
    price: listed.price,
    bonus,
    credit: addFen(listed.price, bonus),
    validMonths: listed.valid_months,
  };
}

export interface Validity {
  /** Both days included. */
  readonly usableFrom: LocalDay;
  readonly usableThrough: LocalDay;
  /** The local midnight after the last day. */
  readonly expiresAt: number;
}

export function validityFrom(zone: TimeZone, bought: LocalDay, months: number): Validity {
  const usableThrough = addMonthsClamped(bought, months);
  return { usableFrom: bought, usableThrough, expiresAt: expiryOf(zone, usableThrough) };
}

export function expiryOf(zone: TimeZone, usableThrough: LocalDay): number {
  return dayStart(zone, addDays(usableThrough, 1));
}

/**
 * The nearest of the reminders that are due: a loop that was away for a month says "7 days", not
 * all three. `undefined` before the first one.
 */
export function reminderDue(
  { package_reminder_days: reminders }: Pick<PriceProfile, "package_reminder_days">,
  usableThrough: LocalDay,
  today: LocalDay,
): number | undefined {
  const due = reminders.filter((days) => addDays(usableThrough, -days) <= today);
  return due.length === 0 ? undefined : Math.min(...due);
}

/**
 * Which version of the price profile is in force on which day. Pure, so that a bill can be rated again
 * where there is no database; price-profiles.ts reads the book from its rows.
 */
import type { LocalDay } from "#kernel/calendar.ts";

import type { PriceProfile } from "./profile.ts";

/** A version in force, parsed. */
export interface PricesInForce {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  /** From this local day on, until another one begins. */
  readonly activeFrom: LocalDay;
  readonly profile: PriceProfile;
}

/** The versions that are or will be in force, by their first day. */
export type PriceBook = readonly PricesInForce[];

/** What is in force on a local day; `undefined` before the first version. */
export function pricesOn(book: PriceBook, day: LocalDay): PricesInForce | undefined {
  return book.findLast(({ activeFrom }) => activeFrom <= day);
}

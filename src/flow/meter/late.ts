/**
 * Usage that came too late (R-LATE-3): of a day that is posted, and longer ago than late usage may
 * come. It is kept, it is in the log, and it is not rated; somebody looks at it.
 */
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import type { Queryable } from "#db/pool.ts";
import { addDays, dayOf, type LocalDay } from "#kernel/calendar.ts";

import type { UsageAccount } from "./accounts.ts";
import type { EventDraft } from "./event-store.ts";

export type Uncounted = Omit<EventDraft, "counted">;

/** Decides for each whether it counts. */
export async function countedOrLate(
  db: Queryable,
  drafts: readonly Uncounted[],
  at: { readonly accounts: ReadonlyMap<string, UsageAccount>; readonly now: number },
): Promise<EventDraft[]> {
  const accountOf = ({ use }: Uncounted): UsageAccount | undefined => at.accounts.get(use.tenantId);
  const isClosed = (draft: Uncounted): boolean => {
    const through = accountOf(draft)?.closedThrough;
    return through !== undefined && draft.day <= through;
  };
  if (!drafts.some(isClosed)) return drafts.map((draft) => ({ ...draft, counted: true }));
  const book = await loadPriceBook(db);
  return drafts.map((draft) => {
    const account = accountOf(draft);
    if (account === undefined || !isClosed(draft)) return { ...draft, counted: true };
    const today = dayOf(account.timeZone, at.now);
    const daysMax = pricesOn(book, today)?.profile.late_usage_max_days ?? 0;
    return { ...draft, counted: !isOlder(draft.day, today, daysMax) };
  });
}

function isOlder(day: LocalDay, today: LocalDay, daysMax: number): boolean {
  return day < addDays(today, -daysMax);
}

/** Real history under other prices. */
import type { Handlers } from "#api/handler.ts";
import { profileWarnings } from "#catalog/profile-check.ts";
import { validPriceProfile } from "#catalog/price-profiles.ts";
import type { PriceProfile } from "#catalog/profile.ts";
import type { Queryable } from "#db/pool.ts";
import { historiesOf, lastDay } from "#insights/history.ts";
import { replayTenant, summarized, type ReplayedTenant } from "#insights/replay.ts";
import { localMonth, type LocalMonth } from "#kernel/calendar.ts";
import { formatFen, subtractFen } from "#kernel/money.ts";

const tenantsPerRead = 200;
const tenantsShownMax = 1000;

export const replayHandlers = {
  replayPrices: async ({ body }, { tx }) => {
    const profile = validPriceProfile(body.profile);
    const month = localMonth(body.month);
    const replay = summarized(await replayAll(tx, { month, profile }));
    return {
      month,
      before: formatFen(replay.before),
      after: formatFen(replay.after),
      change: formatFen(subtractFen(replay.after, replay.before)),
      winners: replay.winners,
      losers: replay.losers,
      tenants: replay.tenants.slice(0, tenantsShownMax).map((each) => ({
        ...each,
        unpriced: [...each.unpriced],
        before: formatFen(each.before),
        after: formatFen(each.after),
        change: formatFen(subtractFen(each.after, each.before)),
      })),
      tierMoves: replay.tenants.filter((each) => each.tierBefore !== each.tierAfter).length,
      findings: profileWarnings(profile).map((message) => ({
        severity: "warning" as const,
        message,
      })),
    };
  },
} satisfies Partial<Handlers>;

async function replayAll(
  db: Queryable,
  ask: { readonly month: LocalMonth; readonly profile: PriceProfile },
): Promise<ReplayedTenant[]> {
  const { month, profile } = ask;
  const replayed: ReplayedTenant[] = [];
  for (;;) {
    const after = replayed.at(-1)?.tenantId;
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = await historiesOf(db, { month, after, limit: tenantsPerRead });
    const through = lastDay(month);
    replayed.push(...page.map((history) => replayTenant(history, { month, through, profile })));
    if (page.length < tenantsPerRead) return replayed;
  }
}

/** Where a tenant stands on the ladder when money runs low. */
import type { Handler } from "#api/handler.ts";
import { loadPriceBook } from "#catalog/price-profiles.ts";
import type { Operations } from "#contract/operations.ts";
import { meansOf, rulesAt } from "#dunning/means.ts";
import { outlookOf } from "#dunning/outlook.ts";
import { standingOf, stoppedPerHour } from "#dunning/store.ts";
import { standingText } from "#dunning/words.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { formatFen } from "#kernel/money.ts";

export const getStanding: Handler<Operations["getStanding"]> = async ({ query }, context) => {
  const { tx, tenantId } = context;
  const now = context.now();
  const known = await standingOf(tx, tenantId);
  const standing = known ?? { stage: "ok" as const, since: now };
  const { means } = await meansOf(tx, { tenantId, credit: await credit(tx, tenantId), now });
  const outlook = outlookOf(standing, {
    means,
    stoppedPerHour: await stoppedPerHour(tx, tenantId),
    rules: rulesAt(await loadPriceBook(tx), now),
    now,
  });
  const { next } = outlook;
  return {
    stage: standing.stage,
    since: known === undefined ? null : new Date(known.since).toISOString(),
    left: formatFen(means.left),
    burnPerHour: formatFen(means.burnPerHour),
    next: next === undefined ? null : { stage: next.stage, at: new Date(next.at).toISOString() },
    toLeave: formatFen(outlook.toLeave),
    toBeWell: formatFen(outlook.toBeWell),
    text: standingText(standing.stage, outlook, query.language),
  };
};

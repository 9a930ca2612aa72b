/**
 * Stopped means stopped (invariant 8): looks at what each spending tenant has left, moves him on the
 * ladder, tells him, and does what the rung says. A rung's work is repeated until it is done, so a
 * crash between the steps loses nothing.
 */
import { loadPriceBook, type PriceBook } from "#catalog/price-profiles.ts";
import type { Db, Tx } from "#db/pool.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { haltWork, lockRunning } from "#flow/admit/halt.ts";
import { askRelease, askStart } from "#flow/admit/lease.ts";
import { setReason } from "#flow/admit/requests.ts";
import { lockCredit } from "#flow/ledger/accounts.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, negateFen, zeroFen } from "#kernel/money.ts";
import { roundHalfAway } from "#kernel/rounding.ts";
import type { Reason } from "#kernel/reason.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import {
  decideStanding,
  graceDebtMax,
  releaseReminder,
  usedUpAt,
  type DunningRules,
  type Means,
  type Standing,
} from "./decide.ts";
import { meansOf, rulesAt } from "./means.ts";
import {
  keptLeases,
  leasesStoppedForMoney,
  lockStanding,
  saveStanding,
  tenantsToLookAt,
} from "./store.ts";

const tenantsPerRead = 200;

interface Context {
  readonly db: Db;
  readonly now: () => number;
}

export function dunningLoop(context: Context): LoopDefinition {
  const { db, now } = context;
  return {
    name: "credit",
    periodMs: 15_000,
    channels: ["balance"],
    pass: async (signal) => {
      const failures: unknown[] = [];
      let book: PriceBook | undefined;
      let after: string | undefined;
      for (;;) {
        const tenants = await tenantsToLookAt(db, { after, limit: tenantsPerRead });
        if (tenants.length > 0) book ??= await loadPriceBook(db);
        for (const tenantId of tenants) {
          if (signal.aborted) return "rest";
          try {
            await lookAt(db, { tenantId, rules: rulesAt(book ?? [], now()), now: now() });
          } catch (error) {
            failures.push(error);
          }
        }
        after = tenants.at(-1);
        if (tenants.length < tenantsPerRead) break;
      }
      if (failures.length > 0) throw new AggregateError(failures, "some credit was not looked at");
      return "rest";
    },
  };
}

interface Look {
  readonly tenantId: string;
  readonly rules: DunningRules;
  readonly now: number;
}

export function lookAt(db: Db, look: Look): Promise<void> {
  const { tenantId, rules, now } = look;
  return db.transaction(async (tx) => {
    // Requests before the wallet: the order in which a request that ends takes its locks.
    const running = await lockRunning(tx, tenantId);
    const before = await lockStanding(tx, tenantId, now);
    const credit = await lockCredit(tx, tenantId);
    const { means, packages } = await meansOf(tx, { tenantId, credit, now });
    const standing = decideStanding(before, { means, rules, now });
    if (standing !== before) {
      await saveStanding(tx, tenantId, standing);
      await tell(tx, look, { before, standing, means });
    }
    if (standing.stage === "stopped" || standing.stage === "released") {
      // Jobs go on while packages pay them.
      const work = running.filter(
        ({ plan, kind }) => plan === "on_demand" && (kind === "lease" || packages <= 0n),
      );
      await haltWork(tx, { tenantId, work, reason: stopReason(means, standing), at: now });
    }
    if (standing.stage === "released") await releaseKept(tx, look);
    const days = releaseReminder(standing, now);
    if (days !== undefined) await remind(tx, look, { standing, days });
    if (standing.stage !== before.stage && means.left > 0n) await startAgain(tx, look);
  });
}

function stopReason({ left }: Means, { releaseAt }: Standing): Reason {
  const kept =
    releaseAt === undefined
      ? ""
      : ` Its disks are kept until ${new Date(releaseAt).toISOString()}.`;
  return {
    code: "insufficient_credit",
    message: `The balance is used up.${kept} Top up, and it starts again.`,
    details: {
      left: formatFen(left),
      ...(releaseAt === undefined ? {} : { releaseAt: new Date(releaseAt).toISOString() }),
    },
  };
}

const severities = {
  ok: "info",
  forecast: "info",
  warning: "warning",
  no_new_work: "warning",
  grace: "critical",
  stopped: "critical",
  released: "critical",
} as const;

const kinds = {
  ok: "money_restored",
  forecast: "money_forecast",
  warning: "money_warning",
  no_new_work: "money_no_new_work",
  grace: "money_grace",
  stopped: "money_stopped",
  released: "money_released",
} as const;

async function tell(
  tx: Tx,
  { tenantId, rules, now }: Look,
  {
    before,
    standing,
    means,
  }: { readonly before: Standing; readonly standing: Standing; readonly means: Means },
): Promise<void> {
  const { stage, since, graceUntil, releaseAt } = standing;
  const last = usedUpAt(means, now);
  const debtMax = fen(roundHalfAway(graceDebtMax(means, rules)));
  await notify(tx, {
    tenantId,
    key: `money:${stage}:${since}`,
    kind: kinds[stage],
    severity: severities[stage],
    data: {
      left: formatFen(means.left > 0n ? means.left : zeroFen),
      owed: formatFen(means.left < 0n ? negateFen(means.left) : zeroFen),
      burn: formatFen(means.burnPerHour),
      before: before.stage,
      at: last === undefined ? "-" : new Date(last).toISOString(),
      until: graceUntil === undefined ? "-" : new Date(graceUntil).toISOString(),
      limit: formatFen(debtMax),
      release: releaseAt === undefined ? "-" : new Date(releaseAt).toISOString(),
    },
    at: now,
  });
}

async function remind(
  tx: Tx,
  { tenantId, now }: Look,
  { standing, days }: { readonly standing: Standing; readonly days: number },
): Promise<void> {
  await notify(tx, {
    tenantId,
    key: `money:release-ahead:${standing.since}:${days}`,
    kind: "money_release_ahead",
    severity: "critical",
    data: { days, release: new Date(standing.releaseAt ?? now).toISOString() },
    at: now,
  });
}

/** What the ladder stopped; as far as quota and money allow, the rest stays stopped and says why. */
async function startAgain(tx: Tx, { tenantId, now }: Look): Promise<void> {
  for (const leaseId of await leasesStoppedForMoney(tx, tenantId)) {
    try {
      await askStart(tx, ledgerCredit, { tenantId, leaseId, at: now });
      await setReason(tx, { tenantId, id: leaseId, reason: null });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { code, message } = error;
      await setReason(tx, { tenantId, id: leaseId, reason: { code, message } });
    }
  }
}

async function releaseKept(tx: Tx, { tenantId, now }: Look): Promise<void> {
  const reason: Reason = {
    code: "insufficient_credit",
    message: "The balance was used up and was not topped up in time.",
  };
  for (const leaseId of await keptLeases(tx, tenantId)) {
    await askRelease(tx, { tenantId, leaseId, at: now });
    await setReason(tx, { tenantId, id: leaseId, reason });
  }
}

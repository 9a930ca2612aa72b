/**
 * What of a customer ends soon and is not renewed: a term, a package with credit, a tier that was
 * agreed by hand (R-CHURN-3). Each is one task, named by what ends and when.
 */
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { openPackages } from "#flow/ledger/accounts.ts";
import { addFen, fen, formatFen, subtractFen } from "#kernel/money.ts";
import { renewalPrice } from "#orders/renewal.ts";
import { terms } from "#orders/term.ts";

import type { NewTask } from "./tasks.ts";

const dayMs = 86_400_000;
const yearAheadDays = 30;
/** Of a month or a quarter: the customer himself is told twice by then. */
const monthAheadDays = 7;
const packageAheadDays = 30;
const tierAheadDays = 30;

const termRow = z
  .object({
    id: z.string(),
    name: z.string(),
    sku: z.string(),
    term: z.enum(terms),
    until_at: instant,
    locked_monthly: int8,
  })
  .transform(({ until_at: untilAt, locked_monthly: locked, ...rest }) => ({
    ...rest,
    untilAt,
    lockedMonthly: fen(locked),
  }));
export type RunningTerm = z.output<typeof termRow>;

/** The last paid term of each active subscription that does not renew itself. */
export function runningTerms(db: Queryable, tenantId: string): Promise<RunningTerm[]> {
  return db.rows(
    sql`select s.id, s.name, p.sku, p.term, p.until_at, s.locked_monthly
      from subscription s
      join lateral (select sku, term, until_at from subscription_period p
        where p.tenant_id = s.tenant_id and p.subscription_id = s.id
        order by p.number desc limit 1) p on true
      where s.tenant_id = ${tenantId} and s.state = 'active' and not s.auto_renew
      order by p.until_at, s.id`,
    termRow,
  );
}

export interface EndingsAsk {
  readonly tenantId: string;
  readonly profile: PriceProfile;
  readonly tier: Tier;
  readonly now: number;
}

export async function endingsOf(db: Queryable, ask: EndingsAsk): Promise<NewTask[]> {
  return [
    ...(await endingTerms(db, ask)),
    ...(await endingPackages(db, ask)),
    ...(await endingTiers(db, ask)),
  ];
}

async function endingTerms(db: Queryable, ask: EndingsAsk): Promise<NewTask[]> {
  const { tenantId, profile, tier, now } = ask;
  const running = await runningTerms(db, tenantId);
  const soon = running.filter(({ term, untilAt }) => {
    const days = term === "annual" ? yearAheadDays : monthAheadDays;
    return now < untilAt && untilAt <= now + days * dayMs;
  });
  return soon.map(({ id, name, sku, term, untilAt, lockedMonthly }) => {
    const price = renewalPrice({
      profile,
      sku,
      term,
      lastTerm: term,
      tier,
      daysAfterEnd: 0,
      lockedMonthly,
    });
    const until = new Date(untilAt).toISOString();
    const renewal = price === undefined ? "-" : formatFen(price.amount);
    const key = `term-ending:${id}:${until}`;
    return { tenantId, key, kind: "term_ending", data: { name, term, until, renewal } };
  });
}

async function endingPackages(db: Queryable, ask: EndingsAsk): Promise<NewTask[]> {
  const { tenantId, now } = ask;
  const codes = await db.rows(
    sql`select id, code from package where tenant_id = ${tenantId}`,
    z.object({ id: z.string(), code: z.string() }),
  );
  const codeOf = new Map(codes.map(({ id, code }) => [id, code]));
  const open = await openPackages(db, tenantId);
  return open.flatMap(({ id, usableThrough, expiresAt, principal, bonus, provisional }) => {
    const left = subtractFen(addFen(principal, bonus), provisional);
    const soon = now < expiresAt && expiresAt <= now + packageAheadDays * dayMs;
    if (!soon || left <= 0n) return [];
    const key = `package-ending:${id}:${usableThrough}`;
    const data = { package: codeOf.get(id) ?? id, until: usableThrough, left: formatFen(left) };
    return [{ tenantId, key, kind: "package_ending", data }];
  });
}

async function endingTiers(db: Queryable, ask: EndingsAsk): Promise<NewTask[]> {
  const { tenantId, now } = ask;
  const rows = await db.rows(
    sql`select id, tier, reason, until_at from tier_override
      where tenant_id = ${tenantId} and ended_at is null and until_at > ${new Date(now)}
        and until_at <= ${new Date(now + tierAheadDays * dayMs)}`,
    z.object({ id: z.string(), tier: z.string(), reason: z.string(), until_at: instant }),
  );
  return rows.map(({ id, tier, reason, until_at: untilAt }) => {
    const data = { tier, until: new Date(untilAt).toISOString(), reason };
    return { tenantId, key: `tier-ending:${id}`, kind: "tier_by_hand_ending", data };
  });
}

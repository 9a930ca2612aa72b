/**
 * A request for compute with what the company is, and what sales thought of it (C-04). The rating is
 * a note: what a customer pays decides his tier, and nothing else (R-CT-6).
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, type Fen } from "#kernel/money.ts";

import { qualify } from "./tiers.ts";

const openMax = 5;
const monthsPerYear = 12n;

export const companyScales = ["individual", "1-10", "11-50", "51-500", "500+"] as const;
export type CompanyScale = (typeof companyScales)[number];

const row = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    company: z.string(),
    scale: z.enum(companyScales),
    monthly_budget: int8,
    demand: z.string(),
    contact: z.string(),
    state: z.enum(["submitted", "rated", "withdrawn"]),
    suggested_tier: z.enum(["normal", "gold", "diamond"]),
    initial_rating: z.enum(["normal", "gold", "diamond"]).nullable(),
    note: z.string().nullable(),
    rated_by: z.string().nullable(),
    rated_at: instant.nullable(),
    created_at: instant,
  })
  .transform((each) => ({
    id: each.id,
    tenantId: each.tenant_id,
    company: each.company,
    scale: each.scale,
    monthlyBudget: fen(each.monthly_budget),
    demand: each.demand,
    contact: each.contact,
    state: each.state,
    suggestedTier: each.suggested_tier,
    initialRating: each.initial_rating,
    note: each.note,
    ratedBy: each.rated_by,
    ratedAt: each.rated_at,
    createdAt: each.created_at,
  }));
export type Application = z.output<typeof row>;

const columns = sql`id, tenant_id, company, scale, monthly_budget, demand, contact, state,
  suggested_tier, initial_rating, note, rated_by, rated_at, created_at`;

/** What the budget would make of him if he paid it for twelve months. Pure. */
export function suggestedTier(monthlyBudget: Fen, profile: PriceProfile): Tier {
  const yearly = fen(monthlyBudget * monthsPerYear);
  return qualify({ netPaid12m: yearly, netPaidLast3Months: [] }, profile).tier;
}

export interface NewApplication {
  readonly tenantId: string;
  readonly company: string;
  readonly scale: CompanyScale;
  readonly monthlyBudget: Fen;
  readonly demand: string;
  readonly contact: string;
  readonly profile: PriceProfile;
  readonly now: number;
}

export async function submitApplication(tx: Tx, ask: NewApplication): Promise<Application> {
  const { count } = await tx.one(
    sql`select count(*)::int as count from compute_application
      where tenant_id = ${ask.tenantId} and state = 'submitted'`,
    z.object({ count: z.int() }),
  );
  if (count >= openMax) {
    throw new Failure(
      "conflict",
      `${count} applications of yours wait for an answer already; withdraw one first.`,
      { details: { open: count, limit: openMax } },
    );
  }
  return tx.one(
    sql`insert into compute_application (tenant_id, id, company, scale, monthly_budget, demand,
        contact, suggested_tier, created_at)
      values (${ask.tenantId}, ${newId()}, ${ask.company}, ${ask.scale}, ${ask.monthlyBudget},
        ${ask.demand}, ${ask.contact}, ${suggestedTier(ask.monthlyBudget, ask.profile)},
        ${new Date(ask.now)})
      returning ${columns}`,
    row,
  );
}

/** Newest first; of one tenant, or of all for the operator. */
export function applications(
  db: Queryable,
  ask: PageAsk & {
    readonly tenantId: string | undefined;
    readonly state?: Application["state"] | undefined;
  },
): Promise<Application[]> {
  return db.rows(
    sql`select ${columns} from compute_application
      where ${ask.tenantId === undefined ? sql`true` : sql`tenant_id = ${ask.tenantId}`}
        and ${ask.state === undefined ? sql`true` : sql`state = ${ask.state}`}
        and ${newestFirst({ at: sql`created_at`, id: sql`id` }, ask)}
      order by created_at desc, id desc limit ${ask.limit}`,
    row,
  );
}

export async function rateApplication(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly id: string;
    readonly rating: Tier;
    readonly note: string;
    readonly by: string;
    readonly now: number;
  },
): Promise<Application> {
  return changed(
    await tx.maybe(
      sql`update compute_application set state = 'rated', initial_rating = ${ask.rating},
          note = ${ask.note}, rated_by = ${ask.by}, rated_at = ${new Date(ask.now)}
        where tenant_id = ${ask.tenantId} and id = ${ask.id} and state <> 'withdrawn'
        returning ${columns}`,
      row,
    ),
  );
}

export async function withdrawApplication(
  tx: Tx,
  ask: { readonly tenantId: string; readonly id: string },
): Promise<Application> {
  return changed(
    await tx.maybe(
      sql`update compute_application set state = 'withdrawn'
        where tenant_id = ${ask.tenantId} and id = ${ask.id} and state in ('submitted', 'withdrawn')
        returning ${columns}`,
      row,
    ),
  );
}

function changed(application: Application | undefined): Application {
  if (application !== undefined) return application;
  throw new Failure("not_found", "There is no such application, or it has its answer already.");
}

/**
 * Versions of the price profile: rows of `price_profile`. A version is a draft until it is put in
 * force from a local midnight that has begun nowhere yet; from then on it is never changed, only
 * followed. Bands change at the start of a month only, so that a month has one schedule.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { dayOf, isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { billingZone, timeZone } from "#kernel/zone.ts";

import { pricesOn, type PriceBook, type PricesInForce } from "./price-book.ts";
import {
  defaultProfileJson,
  parsePriceProfile,
  priceProfileSchema,
  type PriceProfile,
} from "./profile.ts";
import { profileWarnings } from "./profile-check.ts";

// Whoever has a database finds the book and its rows in one place.
export { pricesOn, type PriceBook, type PricesInForce } from "./price-book.ts";

/** Where a local day begins first. */
const earliestZone = timeZone("Pacific/Kiritimati");
/** The default profile of a new installation is in force for any usage that there can be. */
const beginning = localDay("2000-01-01");
/** Versions that are loaded to rate by; more than one a day for years is a mistake. */
const versionsMax = 2000;

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    version: z.int(),
    active_from: z.string().refine(isLocalDay).nullable(),
    created_at: instant,
  })
  .transform(({ active_from: activeFrom, created_at: createdAt, ...rest }) => ({
    ...rest,
    activeFrom: activeFrom === null ? null : localDay(activeFrom),
    createdAt,
  }));
export type PriceProfileVersion = z.output<typeof row>;

const columns = sql`id, name, version, active_from::text, created_at`;
/** To the millisecond, so that a page can begin after it. */
const createdAt = sql`date_trunc('milliseconds', now())`;
const bodyRow = z.object({ body: z.record(z.string(), z.unknown()) });

/** A version whole: its JSON form, and what a reader should look at. */
export interface PriceProfileDetail extends PriceProfileVersion {
  readonly body: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/** Puts the default profile in force where there is none yet. */
export async function seedPriceProfile(tx: Tx): Promise<void> {
  await tx.execute(sql`
    insert into price_profile (id, name, body, active_from, created_at)
    select ${newId()}, 'Default', ${json(defaultProfileJson)}, ${beginning}::date, ${createdAt}
    where not exists (select from price_profile)
    on conflict (active_from) do nothing`);
}

export function listPriceProfiles(db: Queryable, ask: PageAsk): Promise<PriceProfileVersion[]> {
  const position = { at: sql`created_at`, id: sql`id` };
  return db.rows(
    sql`select ${columns} from price_profile where ${newestFirst(position, ask)}
      order by created_at desc, id desc limit ${ask.limit}`,
    row,
  );
}

export async function findPriceProfile(
  db: Queryable,
  id: string,
): Promise<PriceProfileDetail | undefined> {
  const version = await db.maybe(sql`select ${columns} from price_profile where id = ${id}`, row);
  if (version === undefined) return undefined;
  const { body } = await db.one(sql`select body from price_profile where id = ${id}`, bodyRow);
  return { ...version, body, warnings: profileWarnings(parsePriceProfile(body)) };
}

/** Adds a draft. Throws `rule_violation` with what is wrong where. */
export async function createPriceProfile(
  db: Queryable,
  ask: { readonly name: string; readonly profile: Readonly<Record<string, unknown>> },
): Promise<PriceProfileDetail> {
  const profile = validPriceProfile(ask.profile);
  const version = await db.one(
    sql`insert into price_profile (id, name, body, created_at)
      values (${newId()}, ${ask.name}, ${json(ask.profile)}, ${createdAt}) returning ${columns}`,
    row,
  );
  return { ...version, body: ask.profile, warnings: profileWarnings(profile) };
}

export interface ProfileIssue {
  readonly path: string;
  readonly message: string;
}

/** The profile, or everything that is wrong with it, and where. Pure. */
export function readPriceProfile(
  body: unknown,
): { readonly profile: PriceProfile } | { readonly issues: readonly ProfileIssue[] } {
  const parsed = priceProfileSchema.safeParse(body);
  if (parsed.success) return { profile: parsed.data };
  return {
    issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })),
  };
}

/** Throws `rule_violation` with everything that is wrong, and where. */
export function validPriceProfile(body: unknown): PriceProfile {
  const read = readPriceProfile(body);
  if ("profile" in read) return read.profile;
  const { issues } = read;
  const [first] = issues;
  throw new Failure(
    "rule_violation",
    `The price profile is not valid: ${first?.path}: ${first?.message}.`,
    { details: { issues } },
  );
}

/**
 * Puts a draft in force from a local midnight on. Throws `not_found`; `wrong_state` if it is in
 * force already; `rule_violation` for a day that has begun somewhere, that another version starts
 * on, or that is not the first of a month where the bands change.
 */
export async function activatePriceProfile(
  tx: Tx,
  ask: { readonly id: string; readonly from: LocalDay; readonly now: number },
): Promise<PriceProfileVersion> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('price_profile'))`);
  const draft = await findPriceProfile(tx, ask.id);
  if (draft === undefined) throw new Failure("not_found", `There is no price profile ${ask.id}.`);
  if (draft.activeFrom !== null) {
    throw new Failure(
      "wrong_state",
      `Version ${draft.version} is in force from ${draft.activeFrom}; add another version to change it.`,
    );
  }
  const begun = dayOf(earliestZone, ask.now);
  if (ask.from <= begun) {
    throw new Failure(
      "rule_violation",
      `Prices change at a midnight that is still to come everywhere: ${ask.from} is not after ${begun}.`,
    );
  }
  refuseBandsInsideMonth(await loadPriceBook(tx), ask.from, parsePriceProfile(draft.body));
  try {
    return await tx.one(
      sql`update price_profile set active_from = ${ask.from}::date
        where id = ${ask.id} returning ${columns}`,
      row,
    );
  } catch (error) {
    if (brokenConstraint(error) !== "price_profile_active_from_key") throw error;
    throw new Failure("rule_violation", `Another version starts on ${ask.from}.`, { cause: error });
  }
}

export async function loadPriceBook(db: Queryable): Promise<PriceBook> {
  const versions = await db.rows(
    sql`select ${columns} from price_profile
      where active_from is not null order by active_from limit ${versionsMax}`,
    row,
  );
  const profiles = await profilesOf(
    db,
    versions.map(({ id }) => id),
  );
  return versions.flatMap(({ activeFrom, ...version }) => {
    const profile = profiles.get(version.id);
    return activeFrom === null || profile === undefined
      ? []
      : [{ ...version, activeFrom, profile }];
  });
}

/**
 * The body of a version in force never changes, and fetching and parsing it takes longer than a
 * request should; so each is kept. Which versions are in force is asked each time.
 */
let kept: ReadonlyMap<string, PriceProfile> = new Map();

const keptRow = bodyRow.extend({ id: z.string() });

async function profilesOf(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PriceProfile>> {
  const missing = ids.filter((id) => !kept.has(id));
  if (missing.length === 0) return kept;
  const rows = await db.rows(
    sql`select id, body from price_profile where id = any(${missing}::uuid[])`,
    keptRow,
  );
  const found = rows.map(({ id, body }) => [id, parsePriceProfile(body)] as const);
  const profiles = new Map([...kept, ...found]);
  kept = profiles.size > versionsMax ? new Map(found) : profiles;
  return profiles;
}

/** On both sides: the version before the new one, and the one that follows it. */
function refuseBandsInsideMonth(book: PriceBook, from: LocalDay, profile: PriceProfile): void {
  const before = pricesOn(book, from);
  const next = book.find(({ activeFrom }) => activeFrom > from);
  const changes = [
    { day: from, other: before },
    { day: next?.activeFrom ?? from, other: next },
  ];
  for (const { day, other } of changes) {
    if (other === undefined || day.endsWith("-01") || sameBands(other.profile, profile)) continue;
    throw new Failure(
      "rule_violation",
      `The volume bands would change on ${day}; they change on the first day of a month only.`,
    );
  }
}

function sameBands(a: PriceProfile, b: PriceProfile): boolean {
  return bandsText(a) === bandsText(b);
}

function bandsText(profile: PriceProfile): string {
  const { payg_gpu_graduated_monthly_per_sku: bands, payg_gpu_bands_mode: mode } = profile;
  return JSON.stringify({ mode, bands }, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** In force at an instant, by the day of the billing zone. */
export async function pricesAt(db: Queryable, at: number): Promise<PricesInForce> {
  const prices = pricesOn(await loadPriceBook(db), dayOf(billingZone, at));
  if (prices !== undefined) return prices;
  throw new Failure("unavailable", "No price profile is in force; the operator has to add one.");
}

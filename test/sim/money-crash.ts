/**
 * Money and a crash: what the tests of posting, paying and closing share. A story is told once
 * undisturbed; then the process is stopped at each of its writes in turn, another one goes on, and the
 * books must be those of the undisturbed one: nothing is lost and nothing is there twice.
 */
import { expect } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { claimAnswer, hashOfRequest, keepAnswer, parseIdempotencyKey } from "#api/idempotency.ts";
import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import type { Db, Tx } from "#db/pool.ts";
import { raw, sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { isSecretOf, newSecret, type Secret } from "#identity/secret.ts";
import { assert } from "#kernel/assert.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import { differences, tell, type Books, type Story } from "./crash.ts";

export const { db, url, observer } = await testDatabase();
await db.transaction(seedPriceProfile);
const prices = await loadPriceBook(db);

export const hour = 3_600_000;

/** An instant by the billing zone's clock. */
export function at(day: string, hours = 0): number {
  return dayStart(billingZone, localDay(day)) + hours * hour;
}

export interface Scene {
  readonly tenants: readonly [string, ...string[]];
  readonly secret: Secret;
  /** Names that are used once a story. */
  readonly name: string;
}

export async function scene(count: number): Promise<Scene> {
  const name = newId();
  const [first = "", ...rest] = Array.from({ length: count }, () => newId()).toSorted();
  for (const id of [first, ...rest]) {
    await db.execute(sql`
      insert into tenant (id, kind, name, display_name, time_zone, created_at)
      values (${id}, 'customer', ${id}, 'Acme', 'Asia/Shanghai', 'epoch')`);
  }
  const { secret } = newSecret("key");
  assert(isSecretOf("key", secret), "a new secret is one");
  return { tenants: [first, ...rest], secret, name };
}

export async function use(
  tenant: string,
  span: readonly [number, number],
  work = "job",
): Promise<void> {
  const id = newId();
  const [from, until] = span;
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      started_at, ended_at, work, source_seq)
    values (${tenant}, ${id}, ${id}, ${id}, ${id}, 'gpu.A10', 1, ${new Date(from)},
      ${new Date(until)}, ${work}, 1)`);
}

export async function metered(now: number): Promise<void> {
  while (await cutDue(db, now));
}

async function timeZoneOf(): Promise<typeof billingZone> {
  return billingZone;
}

export function rate(process: Db, tenant: string, now: number): Promise<unknown> {
  return rateTenant({ db: process, now: () => now, timeZoneOf }, tenant, prices);
}

/** A request of the API: who does not hear the answer asks again with its key. */
export function request(
  process: Db,
  { tenants: [tenantId], secret }: Scene,
  ask: { readonly key: string; readonly work: (tx: Tx, tenantId: string) => Promise<unknown> },
): Promise<void> {
  return process.transaction(async (tx) => {
    const of = {
      tenantId,
      userId: tenantId,
      secret,
      keyHash: parseIdempotencyKey(ask.key),
      requestHash: hashOfRequest(ask.key),
    };
    if ((await claimAnswer(tx, of, at("2026-05-01"))) !== undefined) return;
    await ask.work(tx, tenantId);
    await keepAnswer(tx, of, { status: 200, body: "{}" });
  });
}

const tables = [
  "account",
  "journal",
  "posting",
  "package_credit",
  "package_hold",
  "charge_line",
  "rating_account",
  "invoice",
  "invoice_state",
  "payment",
  "payment_refund",
  "notice",
];

/** Every row of the tenants' money, without what is made up anew each time. */
export async function books({ tenants, name }: Scene): Promise<Books> {
  const read: Record<string, readonly string[]> = {};
  const textRow = z.object({ text: z.string() });
  for (const table of tables) {
    const rows = await db.rows(
      sql`select to_jsonb(t)::text as text from ${raw(table)} t
        where tenant_id = any(${[...tenants]}::uuid[])`,
      textRow,
    );
    read[table] = rows.map(({ text }) => nameless(text)).toSorted();
  }
  const receipts = await db.rows(
    sql`select to_jsonb(t)::text as text from bank_receipt t where bank_reference like ${`${name}%`}`,
    textRow,
  );
  return { ...read, receipts: receipts.map(({ text }) => nameless(text)).toSorted() };
}

function nameless(text: string): string {
  return (
    text
      .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, "ID")
      .replaceAll(/(MR|CN)-(\d{4}-\d\d)-[0-9a-f]{8}/g, "$1-$2")
      .replaceAll(/MR-[2-9A-Z]{4}-[2-9A-Z]{4}/g, "CODE")
      .replaceAll(/[0-9a-f]{64}/g, "HASH")
      // Of one log for all stories.
      .replaceAll(/"checkpoint": ?\{[^}]*\}/g, '"checkpoint": "SIGNED"')
      .replaceAll(
        /"(rated_changes|seq|received|received_through|last_received|first|last)": ?\d+/g,
        '"$1": 0',
      )
  );
}

/** What goes wrong, by the write at which the process died; and how many places to die there are. */
export async function diesEverywhere(
  story: Story<Scene>,
): Promise<{ readonly wrong: readonly string[]; readonly places: number }> {
  const cluster = { url, observer };
  const undisturbed = await tell(cluster, story, undefined);
  const wrong: string[] = [];
  let died = 0;
  for (let deathAt = 0; deathAt <= undisturbed.passed; deathAt += 1) {
    const told = await tell(cluster, story, deathAt);
    if (told.diedAt !== "never") died += 1;
    const findings = [
      ...told.remains.map((each) => JSON.stringify(each)),
      ...differences(undisturbed.books, told.books),
    ];
    wrong.push(...findings.map((each) => `dead at ${deathAt}, ${told.diedAt}: ${each}`));
  }
  // The last one was never reached.
  expect(died).toBe(undisturbed.passed);
  return { wrong, places: undisturbed.passed };
}

/** What is in no state between two: balanced at any moment, also with half of a story told. */
export const remains = (): Promise<readonly object[]> => checkLedger(db);

export function only(of: Scene): string {
  return of.tenants[0];
}

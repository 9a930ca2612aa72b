/**
 * Usage that another meter hands in, on the real path: HTTP, schema check, identity, leaf and tiles,
 * day roll-up, checkpoints, and the rating of it all, durable as in production. This process is the
 * server; the sender is another one, whose CPU is not counted.
 *
 * Issue limits: 20,000 events per CPU-second of the client (this process) with the log, 0.7 of what
 * it is without; with half of the input duplicates 1.3 times the CPU per unique event, amounts as
 * they were. `node --conditions=source test/bench/ingest.ts [events]`
 */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { ingestHandlers, recordUsageWith } from "#api/routes/metering/ingest.ts";
import { createServer } from "#api/server.ts";
import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { listenForNudges } from "#db/listen.ts";
import { sql } from "#db/sql.ts";
import { checkLog } from "#flow/meter/log-check.ts";
import type { Leaves } from "#flow/meter/event-store.ts";
import { logLoop } from "#flow/meter/log-loop.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { tenantsToRate } from "#flow/rate/store.ts";
import { insertApiKey } from "#identity/api-keys.ts";
import { ensureOperator } from "#identity/operator.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { startLoop } from "#loops/loop.ts";
import { noteKey, type Signer } from "#tlog/keys.ts";
import { nodeSha256, nodeSigningKey } from "#tlog/node-crypto.ts";
import { emptyServices } from "#test/api-services.ts";

import { benchDatabase, spentText, type BenchDatabase, type Spent } from "./database.ts";

const now = dayStart(billingZone, localDay("2026-05-01")) + 3_600_000;
const tenantsCount = 200;
/** For the compiler to settle, and each connection to have prepared its statements. */
const warmUpEvents = 20_000;
const logLeast = 0.7;
const perSecondLeast = 20_000;
const duplicatesMost = 1.3;

interface IngestFigures {
  readonly events: number;
  readonly log: Spent;
  readonly withoutLog: Spent;
  readonly duplicates: Spent;
}

interface Variant {
  readonly copies: number;
  readonly handlers: Partial<Handlers>;
  readonly hasLog: boolean;
}

/** What an event costs where there is no log: no salt, no hash, nothing that waits for an index. */
const noLeaves: Leaves = {
  of: (events) => events.map(() => ({ salt: "A".repeat(22).concat("=="), leaf: "0".repeat(64) })),
  queued: sql`select`,
};

/** Each variant on an empty database of its own. */
async function benchIngest(events: number): Promise<IngestFigures> {
  const log = await run(events, { copies: 1, handlers: ingestHandlers, hasLog: true });
  const withoutLog = await run(events, {
    copies: 1,
    handlers: { ...ingestHandlers, recordUsage: recordUsageWith(noLeaves) },
    hasLog: false,
  });
  const duplicates = await run(events, { copies: 2, handlers: ingestHandlers, hasLog: true });
  if (duplicates.amounts !== log.amounts || withoutLog.amounts !== log.amounts) {
    throw new Error(`amounts differ: ${log.amounts}, ${withoutLog.amounts}, ${duplicates.amounts}`);
  }
  return { events, log: log.spent, withoutLog: withoutLog.spent, duplicates: duplicates.spent };
}

async function run(
  events: number,
  variant: Variant,
): Promise<{ readonly spent: Spent; readonly amounts: string }> {
  const bench = await benchDatabase();
  const cloud = await startCloud(bench, variant);
  try {
    await cloud.ingestAndRate(warmUpEvents, "warm-up");
    const { spent } = await bench.spent(() => cloud.ingestAndRate(events, "run"));
    const { amounts } = await bench.db.one(
      sql`select sum(amount)::text as amounts from charge_line`,
      z.object({ amounts: z.string() }),
    );
    const problems = await checkUsageDays(bench.db);
    if (variant.hasLog) problems.push(...(await checkLog(bench.db)));
    if (problems.length > 0) throw new Error(problems.join("; "));
    return { spent, amounts };
  } finally {
    await cloud.close();
    await bench.remove();
  }
}

async function startCloud(
  bench: BenchDatabase,
  { copies, handlers, hasLog }: Variant,
): Promise<{
  readonly ingestAndRate: (events: number, name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}> {
  const { db, observer } = bench;
  await db.transaction(seedPriceProfile);
  const tenants = await addTenants(bench);
  const operator = await db.transaction((tx) => ensureOperator(tx, now));
  if (operator === undefined) throw new Error("the database was not empty");
  const { tenantId, userId } = operator;
  const { secret } = await db.transaction((tx) =>
    insertApiKey(tx, {
      tenantId,
      userId,
      name: "meter",
      scope: "usage.write",
      expiresAt: null,
      now,
    }),
  );
  const server = createServer({
    db,
    observer,
    services: emptyServices,
    handlers,
    now: () => now,
    monotonicMs: () => performance.now(),
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const nudges = listenForNudges(bench.url, observer);
  const definition = logLoop({ db, now: () => now, openSigner: () => Promise.resolve(signer()) });
  const loop = hasLog
    ? startLoop(definition, { nudges, observer, now: () => now })
    : { stop: () => Promise.resolve() };
  const rating = { db, now: () => now, timeZoneOf: () => Promise.resolve(billingZone) };
  return {
    ingestAndRate: async (events, name) => {
      const sent = await send(url, secret, { tenants, events, copies, name });
      const wanted = { accepted: events, duplicates: events * (copies - 1), others: 0 };
      if (JSON.stringify(sent) !== JSON.stringify(wanted)) {
        throw new Error(`answered ${JSON.stringify(sent)}, not ${JSON.stringify(wanted)}`);
      }
      // What the loop has not taken yet.
      if (hasLog) await definition.pass(new AbortController().signal);
      const book = await loadPriceBook(db);
      for (const tenant of await tenantsToRate(db, { now, after: undefined, limit: 1_000 })) {
        // oxlint-disable-next-line no-await-in-loop -- one tenant at a time, as the loop does
        await rateTenant(rating, tenant, book);
      }
    },
    close: async () => {
      await loop.stop();
      await server.close();
      await nudges.close();
    },
  };
}

async function addTenants({ db }: BenchDatabase): Promise<string[]> {
  const rows = await db.rows(
    sql`insert into tenant (id, kind, name, display_name, time_zone, created_at)
      select gen_random_uuid(), 'customer', 'tenant-' || n, 'Tenant ' || n, 'Asia/Shanghai',
        '2026-01-01'
      from generate_series(1, ${tenantsCount}::int) n returning id`,
    z.object({ id: z.string() }),
  );
  return rows.map(({ id }) => id);
}

function signer(): Signer {
  const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(7));
  return { key: noteKey(nodeSha256, { name: "bench/log", kind: "log", publicKey }), sign };
}

const senderPath = resolve(import.meta.dirname, "ingest-sender.ts");

async function send(url: string, secret: string, plan: object): Promise<unknown> {
  const argv = ["--conditions=source", senderPath, url, secret, JSON.stringify(plan)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout);
}

function ingestText({ events, log, withoutLog, duplicates }: IngestFigures): string {
  const perSecond = (spent: Spent): number => events / spent.clientSeconds;
  const rate = (spent: Spent): string =>
    `${Math.round(perSecond(spent)).toLocaleString("en")} events per client CPU-s`;
  const share = perSecond(log) / perSecond(withoutLog);
  const more = duplicates.clientSeconds / log.clientSeconds;
  return [
    `ingest and rate, ${events} events: ${rate(log)} (limit ${perSecondLeast.toLocaleString("en")}); ${spentText(log)}`,
    `without the log: ${rate(withoutLog)}; with it ${share.toFixed(2)} of that (limit ${logLeast}); ${spentText(withoutLog)}`,
    `half of the input duplicates: ${more.toFixed(2)} x the client CPU per unique event (limit ${duplicatesMost}), with PostgreSQL ${(whole(duplicates) / whole(log)).toFixed(2)} x, amounts the same; ${spentText(duplicates)}`,
  ].join("\n");
}

function whole({ clientSeconds, databaseSeconds }: Spent): number {
  return clientSeconds + databaseSeconds;
}

if (import.meta.main) {
  const events = Number(process.argv[2] ?? 200_000);
  process.stdout.write(`${ingestText(await benchIngest(events))}\n`);
}

/**
 * Usage that another meter hands in, on the real path: HTTP, schema check, identity, leaf and tiles,
 * day roll-up, checkpoints, and the rating of it all, durable as in production. This process is the
 * server; the sender is another one, whose CPU is not counted.
 *
 * Issue limits: 20,000 events per CPU-second of the client (this process) with the log, 0.7 of what
 * it is without; with half of the input duplicates 1.3 times the CPU per unique event, amounts as
 * they were. Duplicates come in two ways: whole batches again, and half of each batch out of the one
 * before. The variants take turns for some rounds, after one that is not measured; the figure of a
 * variant is the median of its rounds.
 *
 * `node --conditions=source test/bench/ingest.ts [events] [rounds] [variant,…]`
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
import { present } from "#kernel/assert.ts";
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
/** Of a run before all others, for what the first one would pay for all. */
const unmeasuredEvents = 50_000;
const logLeast = 0.7;
const perSecondLeast = 20_000;
const duplicatesMost = 1.3;

/** See ingest-sender.ts. */
type SendOrder = "once" | "repeated" | "mixed";

type VariantName = "log" | "without" | "repeated" | "mixed";

interface Variant {
  readonly order: SendOrder;
  readonly handlers: Partial<Handlers>;
  readonly hasLog: boolean;
}

/** What an event costs where there is no log: no salt, no hash, nothing that waits for an index. */
const noLeaves: Leaves = {
  of: (events) => events.map(() => ({ salt: "A".repeat(22).concat("=="), leaf: "0".repeat(64) })),
  queued: sql`select`,
};

const variants: Readonly<Record<VariantName, Variant>> = {
  log: { order: "once", handlers: ingestHandlers, hasLog: true },
  without: {
    order: "once",
    handlers: { ...ingestHandlers, recordUsage: recordUsageWith(noLeaves) },
    hasLog: false,
  },
  repeated: { order: "repeated", handlers: ingestHandlers, hasLog: true },
  mixed: { order: "mixed", handlers: ingestHandlers, hasLog: true },
};

type Figures = ReadonlyMap<VariantName, Spent>;

/** Each run on an empty database of its own. */
async function benchIngest(plan: {
  readonly events: number;
  readonly rounds: number;
  readonly names: readonly VariantName[];
}): Promise<Figures> {
  const { events, rounds, names } = plan;
  await run(unmeasuredEvents, variants.log);
  const spent = new Map<VariantName, Spent[]>(names.map((name) => [name, []]));
  const amounts = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- they would take the CPUs from each other
      const done = await run(events, variants[name]);
      spent.get(name)?.push(done.spent);
      amounts.add(done.amounts);
    }
  }
  if (amounts.size !== 1) throw new Error(`amounts differ: ${[...amounts].join(", ")}`);
  return new Map(names.map((name) => [name, medianOf(spent.get(name) ?? [])]));
}

/** The round whose client CPU is in the middle. */
function medianOf(rounds: readonly Spent[]): Spent {
  const sorted = rounds.toSorted((a, b) => a.clientSeconds - b.clientSeconds);
  return present(sorted[Math.floor(sorted.length / 2)], "a round");
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
  { order, handlers, hasLog }: Variant,
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
      const sent = await send(url, secret, { tenants, events, order, name });
      const wanted = { accepted: events, duplicates: order === "once" ? 0 : events, others: 0 };
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

function ingestText(events: number, figures: Figures): string {
  const log = figures.get("log");
  const lines: string[] = [];
  for (const [name, spent] of figures) {
    const perSecond = Math.round(events / spent.clientSeconds).toLocaleString("en");
    const limits: Record<VariantName, string> = {
      log: `limit ${perSecondLeast.toLocaleString("en")}`,
      without: `with it ${timesText(spent, log)} of that, limit ${logLeast}`,
      repeated: `${timesText(spent, log)} x the client CPU per unique event, limit ${duplicatesMost}; with PostgreSQL ${wholeText(spent, log)} x`,
      mixed: `${timesText(spent, log)} x the client CPU per unique event, limit ${duplicatesMost}; with PostgreSQL ${wholeText(spent, log)} x`,
    };
    lines.push(
      `${titles[name]}: ${perSecond} events per client CPU-s (${limits[name]}); ${spentText(spent)}`,
    );
  }
  return [`${events} events, amounts the same:`, ...lines].join("\n");
}

const titles: Readonly<Record<VariantName, string>> = {
  log: "ingest and rate",
  without: "without the log",
  repeated: "half duplicates, whole batches again",
  mixed: "half duplicates, in each batch",
};

function timesText(spent: Spent, log: Spent | undefined): string {
  return log === undefined ? "?" : (spent.clientSeconds / log.clientSeconds).toFixed(2);
}

function wholeText(spent: Spent, log: Spent | undefined): string {
  return log === undefined ? "?" : (whole(spent) / whole(log)).toFixed(2);
}

function whole({ clientSeconds, databaseSeconds }: Spent): number {
  return clientSeconds + databaseSeconds;
}

if (import.meta.main) {
  const events = Number(process.argv[2] ?? 100_000);
  const rounds = Number(process.argv[3] ?? 3);
  const names = z
    .array(z.enum(["log", "without", "repeated", "mixed"]))
    .parse((process.argv[4] ?? "log,without,repeated,mixed").split(","));
  process.stdout.write(`${ingestText(events, await benchIngest({ events, rounds, names }))}\n`);
}

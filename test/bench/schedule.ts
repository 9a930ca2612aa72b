/**
 * `npm run bench:schedule`: jobs per second from `POST` to a committed placement, with durable state:
 * the product's API over HTTP in a process of its own, its queue and place loops in another, a
 * throwaway PostgreSQL that flushes each commit, and the hosts of a simulated site. Provisioning is no
 * part of the figure: no machine is made for what is placed.
 *
 * `--jobs N` (8,000, which these hosts carry), `--batch N` jobs in a request, 1 for single ones (500), `--tenants N` (8),
 * `--at-once N` requests in flight (4), `--hosts N` (1213), `--place off` for submission alone,
 * `--statements` for what each statement cost PostgreSQL (which costs some percent itself).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

import { z } from "zod";

import { createClient, type Client } from "#client/client.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { startThrowaway, type Cloud } from "#tour/cloud.ts";

import { benchDatabase, type BenchDatabase } from "./database.ts";
import { compiledProgram } from "./program.ts";
import { recordBenchHosts } from "./schedule/hosts.ts";
import { CpuWatch, cpuText, perThousand } from "./schedule/spent.ts";
import { forgetStatements, statementsText } from "./schedule/statements.ts";
import { submitAll } from "./schedule/submit.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "8000" },
    batch: { type: "string", default: "500" },
    tenants: { type: "string", default: "8" },
    "at-once": { type: "string", default: "4" },
    hosts: { type: "string", default: "1213" },
    place: { type: "string", default: "on" },
    statements: { type: "boolean", default: false },
  },
});
const jobs = Number(values.jobs);
const batch = Number(values.batch);
const hosts = Number(values.hosts);
const atOnce = Number(values["at-once"]);
const places = values.place === "on";
/** For the compiler to settle, and each connection to have prepared its statements. */
const warmUpJobs = Math.max(batch * atOnce, 200);
const lookMs = 100;
const watchMs = 2_000;
/** Without a placement for so long, what waits fits nowhere. */
const stillMs = 20_000;
const wide = 100_000_000;

const closers = new AsyncDisposableStack();
try {
  await measure();
} finally {
  await closers.disposeAsync();
}

async function measure(): Promise<void> {
  const database = await benchDatabase(values.statements ? "statements" : undefined);
  closers.defer(() => database.remove());
  const flags = ["--role", "serve", "--local", "off", "--database-url", database.url];
  const { signal } = new AbortController();
  const api = await startThrowaway({ signal, flags, program: await compiledProgram() });
  closers.defer(() => api.close());
  const { gpus } = await recordBenchHosts(database.db, hosts);
  const clients = await openTenants(api, Number(values.tenants));
  const loops = places ? startLoops(database.url) : undefined;
  if (loops !== undefined) closers.defer(() => ended(loops));
  const { db, postmaster } = database;
  const watch = new CpuWatch({ db, postmaster, api: api.pid, loops: loops?.pid });

  say(
    `${jobs} jobs, ${batch} in a request, ${atOnce} requests in flight, ${clients.length} tenants`,
  );
  say(`${hosts} hosts with ${gpus} GPUs; ${cpus().length} CPUs, load ${load()} before`);
  const warmed = await submitAll({ clients, jobs: warmUpJobs, batch, atOnce, from: 0 });
  if (places) await untilPlaced(database, warmed);
  // As autovacuum does within a minute where the tables are not this new.
  await db.execute(
    sql`analyze request, operation, queue_entry, placement, gpu_claim, host, gpu_device`,
  );
  if (values.statements) await forgetStatements(db);

  const before = await watch.soFar();
  const watching = setInterval(() => void watch.soFar(), watchMs);
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const accepted = await submitAll({ clients, jobs, batch, atOnce, from: warmUpJobs });
  const submitted = seconds();
  const placed = places ? (await untilPlaced(database, warmed + accepted)) - warmed : 0;
  const finished = seconds();
  clearInterval(watching);
  const after = await watch.soFar();

  say(`submitted: ${accepted} in ${submitted.toFixed(1)} s, ${rate(accepted, submitted)} jobs/s`);
  if (places) {
    say(`placed:    ${placed} in ${finished.toFixed(1)} s, ${rate(placed, finished)} jobs/s`);
    if (placed < accepted) say(`${accepted - placed} fit nowhere and still wait`);
  }
  const spent = perThousand(before, after, accepted);
  const all = Object.values(spent).reduce((sum, each) => sum + each, 0);
  say(`CPU seconds per 1,000 jobs, load ${load()} at the end:\n${cpuText(spent)}`);
  say(`two CPUs with nothing else to do carry ${Math.round(2000 / all)} jobs/s, client included`);
  if (values.statements) say(`PostgreSQL, by statement:\n${await statementsText(db, accepted)}`);
}

async function openTenants(api: Cloud, count: number): Promise<Client[]> {
  const operator = createClient({ baseUrl: api.url, credential: api.key });
  const open = async (name: string): Promise<Client> => {
    const { tenant, administrator } = await operator.call("createTenant", { body: { name } });
    const payer = createClient({ baseUrl: api.url, credential: api.key, tenant: tenant.id });
    await payer.call("createTopUp", { body: { amount: "100000000", reference: "bench" } });
    await payer.call("updateQuota", {
      body: {
        vcpus: wide,
        memoryMiB: wide,
        diskGiB: wide,
        jobs: wide,
        gpus: { T4: wide, A100: wide },
      },
    });
    return createClient({ baseUrl: api.url, credential: administrator.secret });
  };
  return Promise.all(Array.from({ length: count }, (_, index) => open(`bench-${index}`)));
}

function startLoops(databaseUrl: string): ChildProcess {
  const program = join(import.meta.dirname, "schedule/loops.ts");
  return spawn(process.execPath, [...process.execArgv, program, databaseUrl], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** How many are placed once all are, or once nothing has been placed for long. */
async function untilPlaced({ db }: BenchDatabase, wanted: number): Promise<number> {
  let seen = -1;
  let changedAt = performance.now();
  for (;;) {
    const { placed } = await db.one(
      sql`select count(*)::int as placed from queue_entry where state = 'placed'`,
      z.object({ placed: z.int() }),
    );
    if (placed > seen) changedAt = performance.now();
    seen = placed;
    if (placed >= wanted || performance.now() - changedAt > stillMs) break;
    await wait(lookMs);
  }
  if (seen === 0) throw new Failure("internal", "Nothing was placed at all.");
  return seen;
}

function rate(count: number, seconds: number): string {
  return `${Math.round(count / seconds)}`;
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * `npm run bench:kubevirt:reconcile -- [machines]`: a site of 10,000 machines of which nothing has changed.
 * What it costs to see it whole for the first time, a pass over all of it, events of a part of it, and to
 * list it anew once what was watched is forgotten. A pass is to take at most 2 s and the process 300 MB, and
 * nothing is to be asked of the API server for a machine. The test cluster, PostgreSQL and the process
 * that keeps the site are processes of their own.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { z } from "zod";

import { sql } from "#db/sql.ts";
import { benchDatabase } from "#test/bench/database.ts";

import { startBenchCluster } from "./cluster.ts";
import { heard } from "./heard.ts";
import { multiplyRows, runOne } from "./rows.ts";
import { openSite } from "./site.ts";

const machines = Number(process.argv[2] ?? 10_000);
const nodes = 200;
const passes = 5;
const touched = Math.floor(machines / 10);
const limits = { seconds: 2, bytes: 300e6 };
const settleMs = 3_000;
const mb = 1e6;

const figures = z.object({
  rss: z.number(),
  heapUsed: z.number(),
  bytes: z.number(),
  cpuSoFar: z.number(),
});
const did = figures.extend({ seconds: z.number(), cpuSeconds: z.number() });

await using closers = new AsyncDisposableStack();
const cluster = await startBenchCluster(nodes);
closers.defer(() => cluster.close());
const database = await benchDatabase();
closers.defer(() => database.remove());
const { db } = database;

const first = await openSite(database.url, cluster.file);
const one = await runOne(first);
await first.close();
await cluster.ask({ do: "multiply", machines, nodes });
await multiplyRows(database.url, one, { machines, nodes });
const all = machines + 1;

const child = fork(join(import.meta.dirname, "site-process.ts"), [database.url, cluster.file], {
  execArgv: [...process.execArgv],
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
closers.defer(async () => {
  child.disconnect();
  if (child.exitCode === null) await once(child, "exit");
});
const bare = figures.parse(await heard(child));
print(`${all} machines on ${nodes + 2} nodes, load ${load()}`);

const whole = await ask("whole");
print("Seen whole for the first time:");
print(
  `  ${((whole.bytes - bare.bytes) / mb).toFixed(1)} MB, ${perMachine(whole.bytes - bare.bytes)} bytes a machine; ` +
    `${whole.cpuSoFar.toFixed(2)} s of CPU with the start; process ${(whole.rss / mb).toFixed(0)} MB, before ${(bare.rss / mb).toFixed(0)}, ` +
    `heap ${perMachine(whole.heapUsed - bare.heapUsed)} bytes a machine`,
);

// The first writes what is new to the database, and the compiler settles.
await ask("pass");
await ask("pass");
const before = { requests: await cluster.requests(), statements: await transactions() };
const taken = [];
for (let pass = 0; pass < passes; pass += 1) taken.push(await ask("pass"));
const after = { requests: await cluster.requests(), statements: await transactions() };
const [median] = taken
  .map(({ seconds }) => seconds)
  .toSorted((a, b) => a - b)
  .slice(passes >> 1);
const cpu = taken.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / passes;
const rss = Math.max(...taken.map((each) => each.rss));
print(`A pass with nothing to do, median of ${passes}:`);
print(
  `  ${taken.map(({ seconds }) => seconds.toFixed(2)).join(", ")} s; ${cpu.toFixed(2)} s of CPU; process ${(rss / mb).toFixed(0)} MB`,
);
print(
  `  transactions in PostgreSQL: ${((after.statements - before.statements) / passes).toFixed(0)} a pass`,
);
const asked = Object.entries(after.requests.requests).flatMap(([what, count]) => {
  const more = count - (before.requests.requests[what] ?? 0);
  return more > 0 ? [`${more} ${what}`] : [];
});
print(`  requests to the API server in all passes: ${asked.join(", ") || "none"}`);
verdict("pass", median ?? NaN, limits.seconds, "s");
verdict("process", rss / mb, limits.bytes / mb, "MB");

const quiet = await ask("figures");
await cluster.ask({ do: "touch", machines: touched });
await wait(settleMs);
const stirred = await ask("figures");
print(`${touched} runs changed a little:`);
print(
  `  ${((stirred.bytes - quiet.bytes) / touched).toFixed(0)} bytes and ${(((stirred.cpuSoFar - quiet.cpuSoFar) / touched) * 1000).toFixed(2)} ms of CPU an event`,
);

await cluster.ask({ do: "forget" });
await wait(settleMs * 2);
await ask("whole");
const again = await ask("figures");
print("Listed anew, as what was watched was forgotten:");
print(
  `  ${((again.bytes - stirred.bytes) / mb).toFixed(1)} MB, ${(again.cpuSoFar - stirred.cpuSoFar).toFixed(2)} s of CPU; process ${(again.rss / mb).toFixed(0)} MB`,
);

async function ask(wish: "whole" | "pass" | "figures"): Promise<z.output<typeof did>> {
  child.send(wish);
  return did.parse(await heard(child));
}

async function transactions(): Promise<number> {
  await db.execute(sql`select pg_stat_force_next_flush()`);
  await wait(1_100);
  const { n } = await db.one(
    sql`select xact_commit::float8 as n from pg_stat_database where datname = current_database()`,
    z.object({ n: z.number() }),
  );
  return n;
}

function perMachine(bytes: number): string {
  return Math.round(bytes / all).toLocaleString("en");
}

function verdict(what: string, measured: number, limit: number, unit: string): void {
  const met = measured <= limit ? "met" : "MISSED";
  print(
    `${met}: ${what} ${measured.toFixed(2)} ${unit} of at most ${limit}, ratio ${(measured / limit).toFixed(2)}`,
  );
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

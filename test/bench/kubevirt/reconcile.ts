/**
 * `npm run bench:kubevirt:reconcile -- [machines]`: a site of 10,000 machines of which nothing has changed.
 * What it costs to see it whole for the first time, the first passes, which write what is new, a pass with
 * nothing to do, events of a part of it, and to list it anew once what was watched is forgotten. A pass is
 * to take at most 2 s and the process 300 MB, and nothing is to be asked of the API server for a machine.
 * The process that keeps the site runs what `npm start` compiles, with its options of Node; the test
 * cluster and PostgreSQL are processes of their own.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";

import { z } from "zod";

import { benchDatabase } from "#test/bench/database.ts";
import { compiledBench } from "#test/bench/program.ts";

import { startBenchCluster } from "./cluster.ts";
import { bareList } from "./floor.ts";
import { heard } from "./heard.ts";
import { multiplyRows, runOne } from "./rows.ts";
import { openSite } from "./site.ts";

const machines = Number(process.argv[2] ?? 10_000);
const nodes = 200;
const passes = 9;
/** Of the loop itself: what rests is looked at again by time, so passes in a row would do less each. */
const periodMs = 5_000;
const firstPassesMax = 60;
/** A pass that sends no more than these has nothing to write. */
const quietStatementsMax = 60;
const touched = Math.floor(machines / 10);
const limits = { seconds: 2, bytes: 300e6 };
const restMs = 500;
const restsMax = 120;
const mb = 1e6;

const figures = z.object({
  rss: z.number(),
  peak: z.number(),
  heapUsed: z.number(),
  external: z.number(),
  bytes: z.number(),
  statements: z.int(),
  cpuSoFar: z.number(),
});
const did = figures.extend({ again: z.boolean(), seconds: z.number(), cpuSeconds: z.number() });
type Did = z.output<typeof did>;

await using closers = new AsyncDisposableStack();
const cluster = await startBenchCluster(nodes);
closers.defer(() => cluster.close());
const database = await benchDatabase();
closers.defer(() => database.remove());
const program = await compiledBench(import.meta.dirname, ["site-process", "site"]);

const first = await openSite(database.url, cluster.file);
const one = await runOne(first, async () => {
  const sent = Object.entries((await cluster.requests()).requests);
  return sent.reduce((sum, [what, count]) => sum + (what.startsWith("PATCH") ? count : 0), 0);
});
await first.close();
await cluster.ask({ do: "multiply", machines, nodes });
await multiplyRows(database.url, one, { machines, nodes });
const all = machines + 1;
const floor = await bareList(cluster);

const child = fork(program.file, [database.url, cluster.file], {
  execArgv: [...program.options],
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
closers.defer(async () => {
  child.disconnect();
  if (child.exitCode === null) await once(child, "exit");
});
const bare = figures.parse(await heard(child));
let peak = 0;
print(`${all} machines on ${nodes + 2} nodes; ${cpus().length} cores, load ${load()}`);
print(
  `The process before it has seen anything: ${inMb(bare.rss)} MB, ${bare.cpuSoFar.toFixed(2)} s of CPU`,
);

const whole = await ask("whole");
const listing = whole.cpuSoFar - bare.cpuSoFar;
print("Seen whole for the first time:");
print(
  `  ${inMb(whole.bytes)} MB, ${perMachine(whole.bytes)} bytes a machine; ${listing.toFixed(2)} s of CPU, ` +
    `${(listing / floor).toFixed(2)} times what it takes to get and parse the same (${floor.toFixed(2)} s); ` +
    `heap ${perMachine(whole.heapUsed - bare.heapUsed)} bytes a machine; process ${inMb(whole.rss)} MB, at most ${inMb(whole.peak)}`,
);

const firstBegan = performance.now();
let firstPasses = 0;
let now = whole;
for (let isQuiet = false; !isQuiet && firstPasses < firstPassesMax; firstPasses += 1) {
  const before = now;
  // oxlint-disable-next-line no-await-in-loop -- one pass after the other
  const pass = await ask("pass");
  // oxlint-disable-next-line no-await-in-loop
  now = await atRest(pass);
  isQuiet = !pass.again && now.statements - before.statements <= quietStatementsMax;
}
print(`Until nothing was left to write: ${firstPasses} passes`);
print(
  `  ${((performance.now() - firstBegan) / 1000).toFixed(1)} s, ${(now.cpuSoFar - whole.cpuSoFar).toFixed(1)} s of CPU; ` +
    `${now.statements - whole.statements} statements, ${((now.statements - whole.statements) / all).toFixed(2)} a machine; process ${inMb(now.rss)} MB`,
);

const before = await cluster.requests();
const taken: Did[] = [];
const sent: number[] = [];
for (let pass = 0; pass < passes; pass += 1) {
  const earlier = now;
  // oxlint-disable-next-line no-await-in-loop -- one pass after the other
  taken.push(await ask("pass"));
  // oxlint-disable-next-line no-await-in-loop
  await wait(periodMs);
  // oxlint-disable-next-line no-await-in-loop
  now = await ask("figures");
  sent.push(now.statements - earlier.statements);
}
const after = await cluster.requests();
const seconds = medianOf(taken.map((each) => each.seconds));
print(`A pass with nothing to do, ${passes} of them, ${periodMs / 1000} s apart:`);
print(
  `  ${taken.map((each) => each.seconds.toFixed(2)).join(", ")} s, median ${seconds.toFixed(2)} s; ` +
    `${medianOf(taken.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s of CPU; ${medianOf(sent)} statements`,
);
const asked = Object.entries(after.requests).flatMap(([what, count]) => {
  const more = count - (before.requests[what] ?? 0);
  return more > 0 ? [{ what, more }] : [];
});
const names = asked.map(({ what, more }) => `${more} ${what}`).join(", ");
print(`  requests to the API server in all of them: ${names || "none"}`);
const requests = asked.reduce((sum, { more }) => sum + more, 0) / passes;
const rest = now;

await cluster.ask({ do: "touch", machines: touched });
const stirred = await atRest(now);
print(`${touched} runs changed a little:`);
print(
  `  ${((stirred.bytes - rest.bytes) / touched).toFixed(0)} bytes and ${(((stirred.cpuSoFar - rest.cpuSoFar) / touched) * 1000).toFixed(2)} ms of CPU an event`,
);

await cluster.ask({ do: "forget" });
await ask("whole");
const again = await atRest(stirred);
print("Listed anew, as what was watched was forgotten:");
print(
  `  ${inMb(again.bytes - stirred.bytes)} MB, ${(again.cpuSoFar - stirred.cpuSoFar).toFixed(2)} s of CPU; process ${inMb(again.rss)} MB`,
);
const ended = await ask("pass");

verdict("a pass with nothing to do", seconds, limits.seconds, "s");
verdict("the process, at most", peak / mb, limits.bytes / mb, "MB");
verdict("the process between passes", Math.max(rest.rss, ended.rss) / mb, limits.bytes / mb, "MB");
// What is asked is asked of the cluster and its nodes, never of a machine.
verdict("requests of a pass for each machine", requests / all, 0.05, "");

async function ask(wish: "whole" | "pass" | "figures"): Promise<Did> {
  child.send(wish);
  const said = did.parse(await heard(child));
  peak = Math.max(peak, said.peak);
  return said;
}

/** Once it sends no statement and reads no byte any more. */
async function atRest(since: z.output<typeof figures>): Promise<Did> {
  let last = since;
  for (let rests = 0; ; rests += 1) {
    // oxlint-disable-next-line no-await-in-loop -- it is looked at until it rests
    await wait(restMs);
    // oxlint-disable-next-line no-await-in-loop
    const next = await ask("figures");
    const isAtRest = rests > 0 && next.statements === last.statements && next.bytes === last.bytes;
    if (isAtRest || rests >= restsMax) return next;
    last = next;
  }
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

function inMb(bytes: number): string {
  return (bytes / mb).toFixed(0);
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

/**
 * `npm run bench:ready`: how long until a machine can be used, beside the floor that bare QEMU
 * sets in the same run. `--runs N` (5), `--many N` (20 leases at once), `--write FILE`, and
 * `--only cold,warm,many` for a part of it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as wait } from "node:timers/promises";

import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";
import { createIdentity, type Identity } from "#tour/ssh.ts";
import { done } from "#tour/play.ts";

import { readUnderBoot } from "./boot.ts";
import {
  firstLogLine,
  releaseAll,
  rentAndLogIn,
  startMeasured,
  untilImagesBuilt,
  untilStanding,
  type MeasuredCloud,
} from "./cloud.ts";
import { measureFloor } from "./floor.ts";
import { memoryOf } from "./memory.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    many: { type: "string", default: "20" },
    write: { type: "string" },
    only: { type: "string", default: "cold,warm,many" },
  },
});
const runs = Number(values.runs);
const many = Number(values.many);

interface Row {
  readonly what: string;
  readonly got: string;
  readonly wanted: string;
  readonly met: boolean;
}

const rows: Row[] = [];
const add = (what: string, got: string, wanted: string, met: boolean): void => {
  rows.push({ what, got, wanted, met });
  process.stdout.write(
    `${met ? "ok  " : "MISS"}  ${what.padEnd(52)} ${got.padEnd(34)} ${wanted}\n`,
  );
};
const s = (seconds: number): string => `${seconds.toFixed(2)} s`;

const identity = await createIdentity();
try {
  const parts = values.only.split(",");
  const floor = parts.includes("cold") ? await cold(identity) : undefined;
  if (parts.includes("warm")) await warm(identity, floor);
  if (parts.includes("many")) await atOnce(identity);
} finally {
  await identity.remove();
}
if (values.write !== undefined) await writeInto(values.write);
process.exitCode = rows.every(({ met }) => met) ? 0 : 1;

/** Floor and product in turn, so that both see the same machine. */
async function cold(key: Identity): Promise<number> {
  const cloud = await startMeasured(["--warm-start", "off"], key);
  try {
    await untilImagesBuilt(cloud);
    const cache = join(await defaultDataDirectory(process.env, repositoryRoot), "images");
    const floors: number[] = [];
    const colds: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      floors.push(await measureFloor(key, cache));
      colds.push((await rentAndLogIn(cloud.client, key, `cold-${run}`)).seconds);
      await releaseAll(cloud.client);
    }
    const floor = median(floors);
    const limit = floor * 1.15 + 0.3;
    add("floor: bare QEMU, spawn to SSH login", range(floors), "", true);
    add(
      "cold: POST /leases to SSH login",
      `${range(colds)}, ${(median(colds) / floor).toFixed(2)} x floor`,
      `<= 1.15 x floor + 0.3 s = ${s(limit)}`,
      median(colds) <= limit,
    );
    await apiUnderBoot(cloud);
    return floor;
  } finally {
    await cloud.close();
  }
}

async function idle(cloud: MeasuredCloud): Promise<void> {
  // Connections to the database that were not used for 10 s are closed, and each has its memory.
  await wait(25_000);
  const uses = memoryOf(cloud.pid);
  const sum = uses.reduce((total, { mebibytes }) => total + mebibytes, 0);
  const parts = uses.map((use) => `${use.program} ${use.mebibytes.toFixed(0)}`).join(", ");
  add(
    "idle cloud, its database, a machine that stands ready",
    `${sum.toFixed(0)} MB (${parts})`,
    "<= 250 MB",
    sum <= 250,
  );
}

async function apiUnderBoot(cloud: MeasuredCloud): Promise<void> {
  const { p50Ms, p99Ms, failures, requests, spent } = await readUnderBoot(cloud);
  const perRead = (ms: number): string => `${(ms / requests).toFixed(2)} ms`;
  add(
    "API: p99 of reads at 200/s while two machines boot",
    `${p99Ms.toFixed(1)} ms (p50 ${p50Ms.toFixed(1)} ms, ${failures} failed)`,
    "< 20 ms",
    p99Ms < 20 && failures === 0,
  );
  add(
    "API: CPU of a read meanwhile, with that of the boots",
    `server ${perRead(spent.serverMs)}, PostgreSQL ${perRead(spent.databaseMs)}`,
    "(by path: npm run bench:api)",
    true,
  );
}

async function warm(key: Identity, floor: number | undefined): Promise<void> {
  const cloud = await startMeasured([], key);
  try {
    await untilImagesBuilt(cloud);
    await untilWarm(cloud, key);
    await untilStanding(cloud);
    await idle(cloud);
    const leases: number[] = [];
    const next: number[] = [];
    const jobs: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await untilStanding(cloud);
      leases.push((await rentAndLogIn(cloud.client, key, `warm-${run}`)).seconds);
      next.push((await rentAndLogIn(cloud.client, key, `next-${run}`)).seconds);
      await releaseAll(cloud.client);
      await untilStanding(cloud);
      jobs.push(await firstLogLine(cloud.client, `job-${run}`));
    }
    add(
      "warm: POST /leases to SSH login",
      `${range(leases)}${floor === undefined ? "" : `, ${(median(leases) / floor).toFixed(2)} x floor`}`,
      "<= 1.0 s at the median",
      median(leases) <= 1.0,
    );
    add("warm: the next lease, asked for at once", range(next), "(cloned on the spot)", true);
    add("warm: POST /jobs to the first log line", range(jobs), "<= 1.5 s", median(jobs) <= 1.5);
  } finally {
    await cloud.close();
  }
}

/** The template is made in the background; until then machines boot. */
async function untilWarm(cloud: MeasuredCloud, key: Identity): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    await wait(5_000);
    const { start } = await rentAndLogIn(cloud.client, key, `probe-${tries}`);
    await releaseAll(cloud.client);
    if (start === "warm") return;
  }
}

async function atOnce(key: Identity): Promise<void> {
  const cloud = await startMeasured(["--local-cpus", String(many + 4)], key);
  try {
    await untilWarm(cloud, key);
    const startedAt = performance.now();
    const readyOrder: number[] = [];
    const seconds = await Promise.all(
      Array.from({ length: many }, async (_, index) => {
        const { operation } = await cloud.client.call("createLease", {
          body: { name: `many-${index}`, flavor: "nano" },
        });
        await done(cloud.client, operation);
        readyOrder.push(index);
        return (performance.now() - startedAt) / 1000;
      }),
    );
    add(
      `${many} leases asked for at once: all ready`,
      `${seconds.length} ready, ${range(seconds)}`,
      "all, none lost",
      seconds.length === many,
    );
    const late = readyOrder.map((asked, place) => Math.abs(asked - place));
    add(
      "fairness: places between asking and being ready",
      `at most ${Math.max(...late)}, mean ${(late.reduce((a, b) => a + b, 0) / many).toFixed(1)}`,
      `mean <= ${(many / 4).toFixed(0)}`,
      late.reduce((a, b) => a + b, 0) / many <= many / 4,
    );
  } finally {
    await cloud.close();
  }
}

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function range(figures: readonly number[]): string {
  return `${s(median(figures))} (${Math.min(...figures).toFixed(2)}–${Math.max(...figures).toFixed(2)})`;
}

/** The part of the file between the two comments is replaced; the rest is somebody's words. */
async function writeInto(path: string): Promise<void> {
  const [begin, end] = ["<!-- bench:ready -->", "<!-- end of bench:ready -->"];
  const text = await readFile(path, "utf8");
  const [before = "", ...rest] = text.split(begin);
  const after = rest.join(begin).split(end).at(-1);
  if (rest.length === 0 || after === undefined) {
    throw new Failure("wrong_state", `${path} has no place for the table: ${begin} and ${end}`);
  }
  await writeFile(path, `${before}${begin}\n\n${markdown()}\n${end}${after}`);
}

function markdown(): string {
  const [cpu] = cpus();
  return [
    `Machine: ${cpus().length} x ${cpu?.model ?? "?"}, load ${loadavg()[0]?.toFixed(1) ?? "?"} at the end; machines emulated or KVM as \`doctor\` says.`,
    "",
    "| what | measured | wanted | met |",
    "| --- | --- | --- | --- |",
    ...rows.map(
      ({ what, got, wanted, met }) => `| ${what} | ${got} | ${wanted} | ${met ? "yes" : "no"} |`,
    ),
    "",
  ].join("\n");
}

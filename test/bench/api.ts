/**
 * `npm run bench:api`: CPU that a read costs the server, PostgreSQL and the client, by path. The
 * machines are simulated, so nothing else of ours runs. `--rate N` per second (200), `--seconds N`
 * for each path (5), `--leases N` that there are (3). Then, `--boots N` times (3), the latency of
 * such reads while two real machines boot.
 */
import { parseArgs } from "node:util";
import { setTimeout as wait } from "node:timers/promises";

import { done } from "#tour/play.ts";
import { createIdentity, type Identity } from "#tour/ssh.ts";

import { readUnderBoot, readsOf } from "./boot.ts";
import { releaseAll, startMeasured, untilImagesBuilt } from "./cloud.ts";
import { cpuOf, type CpuSpent } from "./cpu.ts";
import { openReader, type LoadResult } from "./load.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "5" },
    leases: { type: "string", default: "3" },
    boots: { type: "string", default: "3" },
  },
});
const perSecond = Number(values.rate);
const seconds = Number(values.seconds);
/** Enough for the compiler to settle, and for each connection to have prepared its statements. */
const warmUpSeconds = 5;
const idleMs = 5_000;

const identity = await createIdentity();
try {
  await byPath(identity);
  if (Number(values.boots) > 0) await underBoot(identity);
} finally {
  await identity.remove();
}

async function byPath(key: Identity): Promise<void> {
  const cloud = await startMeasured(["--local", "off", "--simulate-gpus", "T4=1"], key);
  const reader = openReader(cloud);
  try {
    const leases = await rent(cloud.client, Number(values.leases));
    const paths = readsOf(leases[0] ?? "");
    await reader.readAtRate({ paths, perSecond, seconds: warmUpSeconds });
    const idle = await cpuOf(cloud.pid, () => wait(idleMs));
    const idlePerMs = (spent: keyof CpuSpent): number => idle.spent[spent] / idleMs;
    say(`idle  ${row(idle.spent, idleMs / 1000)}  ms of CPU per second, taken off below`);
    say(`ms of CPU per read at ${perSecond}/s; latency depends on what else runs here`);
    for (const each of [...paths.map((path) => [path]), paths]) {
      const startedAt = performance.now();
      const load = { paths: each, perSecond, seconds };
      const { result, spent } = await cpuOf(cloud.pid, () => reader.readAtRate(load));
      const tookMs = performance.now() - startedAt;
      const net: CpuSpent = {
        serverMs: spent.serverMs - idlePerMs("serverMs") * tookMs,
        databaseMs: spent.databaseMs - idlePerMs("databaseMs") * tookMs,
        clientMs: spent.clientMs,
      };
      const name = each.length > 1 ? "all in turn" : (each[0] ?? "").replace(/[0-9a-f-]{36}/, "ID");
      say(`${name.padEnd(18)} ${row(net, result.requests)}  ${latency(result)}`);
    }
    await releaseAll(cloud.client);
  } finally {
    reader.close();
    await cloud.close();
  }
}

async function underBoot(key: Identity): Promise<void> {
  const cloud = await startMeasured(["--warm-start", "off"], key);
  try {
    await untilImagesBuilt(cloud);
    for (let boot = 0; boot < Number(values.boots); boot += 1) {
      const result = await readUnderBoot(cloud);
      const name = `${result.bootSeconds.toFixed(1)} s of boot`;
      say(`${name.padEnd(18)} ${row(result.spent, result.requests)}  ${latency(result)}`);
    }
  } finally {
    await cloud.close();
  }
}

async function rent(
  client: Parameters<typeof releaseAll>[0],
  count: number,
): Promise<readonly string[]> {
  const asked = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      client.call("createLease", { body: { name: `read-${index}`, flavor: "nano" } }),
    ),
  );
  await Promise.all(asked.map(({ operation }) => done(client, operation)));
  return asked.map(({ lease }) => lease.id);
}

function latency({ p50Ms, p99Ms, failures }: LoadResult): string {
  if (failures > 0) process.exitCode = 1;
  return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, ${failures} failed`;
}

function row(spent: CpuSpent, by: number): string {
  const figure = (ms: number): string => (ms / by).toFixed(2).padStart(5);
  return `server ${figure(spent.serverMs)}  PostgreSQL ${figure(spent.databaseMs)}  client ${figure(spent.clientMs)}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

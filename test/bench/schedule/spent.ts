/** CPU by process: the API, the loops, PostgreSQL by whom its backends serve, and this client. */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { familyOf } from "#test/bench/processes.ts";

export type Who =
  | "API"
  | "loops"
  | "PostgreSQL for the API"
  | "PostgreSQL for the loops"
  | "PostgreSQL itself"
  | "client";

export type CpuBy = Readonly<Record<Who, number>>;

export interface Processes {
  readonly db: Db;
  readonly api: number;
  readonly loops: number | undefined;
  readonly postmaster: number;
}

const backendRow = z.object({ pid: z.int(), name: z.string() });

/** Seconds so far. Backends that have ended count for PostgreSQL itself; pools keep theirs while used. */
export async function cpuSoFar(of: Processes): Promise<CpuBy> {
  const backends = await of.db.rows(
    sql`select pid, application_name as name from pg_stat_activity
      where backend_type = 'client backend'`,
    backendRow,
  );
  const names = new Map(backends.map(({ pid, name }) => [pid, name]));
  const { user, system } = process.cpuUsage();
  const spent: Record<Who, number> = {
    API: ownSeconds(of.api),
    loops: of.loops === undefined ? 0 : ownSeconds(of.loops),
    "PostgreSQL for the API": 0,
    "PostgreSQL for the loops": 0,
    "PostgreSQL itself": 0,
    client: (user + system) / 1e6,
  };
  for (const { pid, cpuSeconds, endedCpuSeconds } of familyOf(of.postmaster)) {
    const name = names.get(pid) ?? "";
    const who = name.startsWith("millrace")
      ? "PostgreSQL for the API"
      : name === "bench loops"
        ? "PostgreSQL for the loops"
        : "PostgreSQL itself";
    spent[who] += cpuSeconds + (pid === of.postmaster ? endedCpuSeconds : 0);
  }
  return spent;
}

function ownSeconds(pid: number): number {
  return familyOf(pid).find((member) => member.pid === pid)?.cpuSeconds ?? 0;
}

/** Seconds of CPU per thousand jobs. */
export function perThousand(before: CpuBy, after: CpuBy, jobs: number): CpuBy {
  const of = (who: Who): number => ((after[who] - before[who]) / jobs) * 1000;
  return {
    API: of("API"),
    loops: of("loops"),
    "PostgreSQL for the API": of("PostgreSQL for the API"),
    "PostgreSQL for the loops": of("PostgreSQL for the loops"),
    "PostgreSQL itself": of("PostgreSQL itself"),
    client: of("client"),
  };
}

export function cpuText(spent: CpuBy): string {
  const lines = Object.entries(spent).map(
    ([who, seconds]) => `  ${who.padEnd(26)} ${seconds.toFixed(3).padStart(7)}`,
  );
  const all = Object.values(spent).reduce((sum, seconds) => sum + seconds, 0);
  const cloud = all - spent.client;
  return [
    ...lines,
    `  ${"all but the client".padEnd(26)} ${cloud.toFixed(3).padStart(7)}`,
    `  ${"all".padEnd(26)} ${all.toFixed(3).padStart(7)}`,
  ].join("\n");
}

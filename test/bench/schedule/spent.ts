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

/** As it was seen last, of backends too that have ended since: pools let go of those that rest. */
interface Backend {
  readonly name: string;
  seconds: number;
}

/** Seconds so far. To be asked every few seconds, so that a backend is seen before it ends. */
export class CpuWatch {
  readonly #of: Processes;
  readonly #backends = new Map<number, Backend>();

  constructor(of: Processes) {
    this.#of = of;
  }

  async soFar(): Promise<CpuBy> {
    const { db, api, loops, postmaster } = this.#of;
    const rows = await db.rows(
      sql`select pid, application_name as name from pg_stat_activity
        where backend_type = 'client backend'`,
      backendRow,
    );
    for (const { pid, name } of rows) {
      this.#backends.set(pid, { name, seconds: this.#backends.get(pid)?.seconds ?? 0 });
    }
    let all = 0;
    for (const { pid, cpuSeconds, endedCpuSeconds } of familyOf(postmaster)) {
      all += cpuSeconds + (pid === postmaster ? endedCpuSeconds : 0);
      const backend = this.#backends.get(pid);
      if (backend !== undefined) backend.seconds = cpuSeconds;
    }
    const ofName = (begin: string): number =>
      [...this.#backends.values()]
        .filter(({ name }) => name.startsWith(begin))
        .reduce((sum, { seconds }) => sum + seconds, 0);
    const { user, system } = process.cpuUsage();
    const forApi = ofName("millrace");
    const forLoops = ofName("bench loops");
    return {
      API: ownSeconds(api),
      loops: loops === undefined ? 0 : ownSeconds(loops),
      "PostgreSQL for the API": forApi,
      "PostgreSQL for the loops": forLoops,
      "PostgreSQL itself": all - forApi - forLoops,
      client: (user + system) / 1e6,
    };
  }
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

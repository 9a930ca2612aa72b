/** Which statements PostgreSQL's time went into, from `pg_stat_statements`. */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const shownMax = 14;
const textCharactersMax = 110;

const row = z.object({
  query: z.string(),
  calls: z.bigint(),
  ms: z.number(),
  all: z.number(),
  allCalls: z.bigint(),
});

export async function forgetStatements(db: Db): Promise<void> {
  await db.execute(sql`select pg_stat_statements_reset()`).catch(() => undefined);
}

/** The most expensive ones: calls and milliseconds of execution and planning per thousand jobs. */
export async function statementsText(db: Db, jobs: number): Promise<string> {
  const rows = await db.rows(
    sql`select query, calls, (total_exec_time + total_plan_time) as ms,
        sum(total_exec_time + total_plan_time) over () as all,
        (sum(calls) over ())::int8 as "allCalls"
      from pg_stat_statements order by ms desc limit ${shownMax}`,
    row,
  );
  const [first] = rows;
  if (first === undefined) return "";
  const per = (count: number): string => ((count / jobs) * 1000).toFixed(1);
  return [
    `  statements per job: ${(Number(first.allCalls) / jobs).toFixed(2)}; ms per 1,000 jobs: ${per(first.all)}`,
    ...rows.map(({ query, calls, ms }) => {
      const text = query.replaceAll(/\s+/g, " ").slice(0, textCharactersMax);
      return `  ${per(ms).padStart(8)} ms ${per(Number(calls)).padStart(8)} calls  ${text}`;
    }),
  ].join("\n");
}

/** Once a day, and at the start: what nobody took away of what jobs on clusters were handed and brought. */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { OpenExchange } from "#providers/kubevirt/exchange/exchange.ts";
import { sweepExchange } from "#providers/kubevirt/exchange/sweep.ts";

const dayMs = 86_400_000;

export function exchangeLoop(context: {
  readonly db: Db;
  readonly exchange: OpenExchange;
  readonly observer: Observer;
  readonly now: () => number;
}): LoopDefinition {
  const { db, exchange, observer, now } = context;
  const known = (machineIds: readonly string[]) => instancesThere(db, machineIds);
  return {
    name: "exchange",
    periodMs: dayMs,
    channels: [],
    pass: async (signal) => {
      const swept = await sweepExchange({ exchange, now: now(), signal, known });
      const { attempts, drafts, full } = swept;
      if (attempts + drafts > 0) observer.log.warn({ attempts, drafts }, "exchange swept");
      return full && !signal.aborted ? "again" : "rest";
    },
  };
}

const row = z.object({ id: z.string() });

/** Which of them we know, and are not through with. */
async function instancesThere(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.rows(
    sql`select id from instance where id = any(${ids}::uuid[]) and state <> 'gone'`,
    row,
  );
  return new Set(rows.map(({ id }) => id));
}

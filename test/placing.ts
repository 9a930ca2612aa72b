/** Passes of a placer over a test's own database, emptied before each test, with a clock that the test sets. */
import { beforeEach } from "vitest";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { setQueueCap } from "#flow/queue/limit-store.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { addHosts, type AskOf } from "./waiting.ts";

export const hourMs = 3_600_000;
/** When each test begins. */
export const t0 = Date.UTC(2026, 4, 4);

export interface Placing {
  readonly clock: { now: number };
  readonly placer: () => LoopDefinition;
  /** Of sites that were just looked at; a placer of its own each time, as after a restart, unless it is told which. */
  readonly pass: (placer?: LoopDefinition) => Promise<void>;
  /** One for each number: so many GPUs. */
  readonly hosts: (...gpus: number[]) => Promise<void>;
}

/** At the top level of a test file. */
export function placing(db: Db): Placing {
  const clock = { now: t0 };
  beforeEach(async () => {
    clock.now = t0;
    for (const table of [sql`gpu_claim`, sql`placement`, sql`queue_entry`, sql`queue_limit`]) {
      // oxlint-disable-next-line no-await-in-loop -- one refers to the other
      await db.execute(sql`delete from ${table}`);
    }
    await db.execute(sql`delete from share`);
    await db.execute(sql`delete from request`);
    await db.execute(sql`delete from gpu_device`);
    await db.execute(sql`delete from host`);
    await setQueueCap(db, { gpuModel: "*", percent: 100 });
  });
  const placer = (): LoopDefinition => placeLoop({ db, now: () => clock.now });
  return {
    clock,
    placer,
    pass: async (loop = placer()) => {
      // A site's own loop looks every few seconds; what did not answer its last look does not now.
      await db.execute(sql`update site set inventory_at = ${new Date(clock.now)} where reachable`);
      const { signal } = new AbortController();
      for (let n = 0; n < 5; n += 1) {
        // oxlint-disable-next-line no-await-in-loop -- again as long as it says so
        if ((await loop.pass(signal)) === "rest") return;
      }
    },
    hosts: async (...gpus) => {
      await addHosts(
        db,
        gpus.map((count, n) => ({ name: `h${n}`, gpus: count })),
        clock.now,
      );
    },
  };
}

/** An hour before the test begins, and so many minutes. */
export function at(minutes: number): Pick<AskOf, "at"> {
  return { at: t0 - hourMs + minutes * 60_000 };
}

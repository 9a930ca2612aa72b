/**
 * Cuts intervals that go on at their tenants' midnights, so that every past day of them is events.
 * After a time away it does the days that it missed, in order. Two at once: one waits for its turn.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { lockUncut } from "./cut-store.ts";
import { cutIntervals } from "./segments.ts";
import { sayUnknownUnits } from "./unknown-units.ts";

/** In one transaction. */
const intervalsPerCutMax = 500;
const cutsPerPassMax = 200;

export function cutLoop({
  db,
  now,
}: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  return {
    name: "cut",
    periodMs: 60_000,
    channels: [],
    pass: async (signal) => {
      for (let count = 0; count < cutsPerPassMax; count += 1) {
        // oxlint-disable-next-line no-await-in-loop -- batch after batch
        if (signal.aborted || !(await cutDue(db, now()))) return "rest";
      }
      return "again";
    },
  };
}

/** One batch; whether there may be more. */
export function cutDue(db: Db, now: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { mine } = await tx.one(
      sql`select pg_try_advisory_xact_lock(hashtext('millrace.cut')) as mine`,
      z.object({ mine: z.boolean() }),
    );
    if (!mine) return false;
    const due = await lockUncut(tx, sql`cut_next_at <= ${new Date(now)}`, intervalsPerCutMax);
    const isLeft = due.length > 0 && (await cutIntervals(tx, due, now));
    await sayUnknownUnits(tx, due, now);
    return isLeft || due.length === intervalsPerCutMax;
  });
}

/**
 * The program's clock, which no restart turns back either. A working process writes down what time
 * it is; one that starts goes on from the latest mark when the machine's clock shows less.
 *
 * What must stay true: the time between two instants is never longer than what really passed, unless
 * the machine's clock was set forward (which is believed). Since a mark of this boot, the kernel
 * knows how much that was. Since a mark of another boot nobody knows, and nothing is counted.
 */
import { z } from "zod";

import type { Db, Queryable } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import type { LoopDefinition } from "./loop.ts";
import { slewMs, steadyClock } from "./steady-clock.ts";

/** The machine that a process runs on, or one that a test makes up. */
export interface Host {
  /** Another after each boot. */
  readonly bootId: string;
  /** Since then, sleep included. */
  readonly uptimeMs: () => number;
  readonly wall: () => number;
  /** Of this process. */
  readonly monotonic: () => number;
}

export interface ClockMark {
  readonly bootId: string;
  readonly at: number;
  readonly uptimeMs: number;
}

/** A mark so far ahead of the machine's clock means that one of the two is badly wrong. */
export const aheadMsMax = 24 * 3_600_000;
const markEveryMs = 10_000;
/** Boots that are longer ago say nothing that a later one does not. */
const marksMax = 1_000;

export async function openClock(
  db: Queryable,
  host: Host,
  how: "check" | "believe" = "check",
): Promise<() => number> {
  if (how === "believe") await db.execute(sql`delete from clock_mark`);
  const marks = await readMarks(db);
  const startsAt = startOfClock(marks, {
    bootId: host.bootId,
    uptimeMs: host.uptimeMs(),
    wall: host.wall(),
  });
  return steadyClock(host.wall, host.monotonic, startsAt);
}

/** What time it is for a process that starts now. Throws when that cannot be told. Pure. */
export function startOfClock(
  marks: readonly ClockMark[],
  now: { readonly bootId: string; readonly uptimeMs: number; readonly wall: number },
): number {
  const own = marks.find(({ bootId }) => bootId === now.bootId);
  const seen =
    own === undefined
      ? Math.max(0, ...marks.map(({ at }) => at))
      : own.at + Math.max(0, Math.floor(now.uptimeMs - own.uptimeMs));
  if (seen - now.wall <= aheadMsMax) return Math.max(seen, now.wall);
  const shown = new Date(now.wall).toISOString();
  const known = new Date(seen).toISOString();
  throw new Failure(
    "wrong_state",
    `The clock of this machine shows ${shown}, and the database has seen ${known}. Set the clock. ` +
      `If the clock is right and the database was written under a wrong one, start once with ` +
      `--clock believe; until the clock reaches ${known}, what runs now is not billed.`,
  );
}

const markRow = z
  .object({ boot_id: z.string(), at: instant, uptime_ms: int8 })
  .transform((row): ClockMark => ({
    bootId: row.boot_id,
    at: row.at,
    uptimeMs: Number(row.uptime_ms),
  }));

function readMarks(db: Queryable): Promise<ClockMark[]> {
  return db.rows(
    sql`select boot_id, at, uptime_ms from clock_mark order by at desc limit ${marksMax}`,
    markRow,
  );
}

export async function markClock(
  db: Queryable,
  host: Pick<Host, "bootId" | "uptimeMs">,
  now: () => number,
): Promise<void> {
  // Several processes of one machine write the same row. One that is behind the others by more than
  // a slew does not turn it back.
  await db.execute(sql`
    insert into clock_mark (boot_id, at, uptime_ms)
    values (${host.bootId}, ${new Date(now())}, ${Math.floor(host.uptimeMs())})
    on conflict (boot_id) do update set at = excluded.at, uptime_ms = excluded.uptime_ms
    where excluded.at - clock_mark.at
      >= (excluded.uptime_ms - clock_mark.uptime_ms - ${2 * slewMs}) * interval '1 millisecond'`);
}

export function clockLoop(context: {
  readonly db: Db;
  readonly host: Pick<Host, "bootId" | "uptimeMs">;
  readonly now: () => number;
}): LoopDefinition {
  const { db, host, now } = context;
  return {
    name: "clock",
    periodMs: markEveryMs,
    channels: [],
    pass: async () => {
      await markClock(db, host, now);
      await db.execute(sql`
        delete from clock_mark where boot_id in (
          select boot_id from clock_mark order by at desc offset ${marksMax})`);
      return "rest";
    },
  };
}

/**
 * Rows of `decision`: what each pass decided and from what. Only what is new is in a row, so that a
 * pass over thousands that wait for the same as before writes little. What must stay true: any one
 * decision is explained by its row alone, long after the hosts and the queue of then are gone.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Reason } from "#kernel/reason.ts";

const dayMs = 86_400_000;
const keptMs = 90 * dayMs;
/** Rows removed at a time. */
const prunedMax = 5_000;

/** Compact form of an entry: what the policy knew of it. */
export const decidedWork = z.object({
  id: z.string(),
  turn: z.int(),
  tenantId: z.string(),
  projectId: z.string(),
  workClass: z.enum(["diamond", "gold", "ordinary"]),
  kind: z.enum(["lease", "job"]),
  flavor: z.string(),
  pool: z.string(),
  units: z.number(),
  askedAt: z.number(),
  /** Its place in the order: when it asked, moved by its terms. null: it could not be in line yet. */
  dueAt: z.number().nullable(),
  /** null: nobody said. */
  estimateMs: z.number().nullable(),
  deadlineAt: z.number().nullable(),
  /** What it started with, or is to start with. */
  gang: z.object({ id: z.string(), size: z.int() }).exactOptional(),
});

/** What it had left. */
export interface HostBefore {
  readonly name: string;
  readonly milliCpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  /** Of each model, devices that nobody held, and those that were begun. */
  readonly gpus: Readonly<Record<string, { readonly free: number; readonly begun: number }>>;
}

export interface Decision {
  readonly at: number;
  readonly policy: string;
  readonly inputs: {
    readonly waiting: number;
    readonly capacity: string;
    /** Units that were free at the start, by pool. */
    readonly free: Readonly<Record<string, number>>;
    /** Those on which something started, as they were before this pass. */
    readonly hosts: Readonly<Record<string, HostBefore>>;
    readonly work: readonly z.output<typeof decidedWork>[];
  };
  readonly answers: {
    readonly started: readonly {
      readonly id: string;
      readonly hostId: string;
      readonly deviceIds: readonly string[];
      /** It passed work for which room is kept from then on. */
      readonly around?: number;
    }[];
    readonly refused: readonly {
      readonly id: string;
      readonly code: string;
      /** Which of `reasons`: many wait for the same. */
      readonly reason: number;
    }[];
    readonly reasons: readonly Reason[];
    /** Who had room kept from then on: what others may not delay. */
    readonly reserved: readonly { readonly id: string; readonly startsAt: number }[];
    /** Planned, and not there any more at the commit. */
    readonly stale: number;
  };
}

export async function recordDecision(db: Queryable, decision: Decision): Promise<void> {
  const { at, policy, inputs, answers } = decision;
  await db.execute(sql`
    insert into decision (at, policy, started, refused, inputs, answers)
    values (${new Date(at)}, ${policy}, ${answers.started.length}, ${answers.refused.length},
      ${json(inputs)}, ${json(answers)})`);
}

/** How many went. */
export function pruneDecisions(db: Queryable, now: number): Promise<number> {
  return db.execute(sql`
    delete from decision where id in (select id from decision
      where at < ${new Date(now - keptMs)} order by at limit ${prunedMax})`);
}

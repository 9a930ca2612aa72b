/**
 * What a pass says of what it did: the reason of each entry that waits, the outlook, the log of
 * decisions. What must stay true: nothing is written that did not change; numbers alone are written
 * again after a while, because they change with each start.
 */
import type { Db } from "#db/pool.ts";
import { recordDecision } from "#flow/queue/decisions.ts";
import { forecast, type StartRange } from "#flow/queue/forecast.ts";
import { writeOutlooks, type Outlook } from "#flow/queue/outlook.ts";
import type { PaceOf } from "#flow/queue/pace.ts";
import { recordRefusals, type Refusal, type WaitingEntry } from "#flow/queue/store.ts";
import type { Reason } from "#kernel/reason.ts";

import type { Unready } from "./asks.ts";
import type { Committed } from "./commit.ts";
import { decisionOf, type Said } from "./decided.ts";
import type { Passed } from "./pass.ts";
import type { View } from "./read.ts";

/** A reason whose numbers alone changed is written again after so long. */
const sameReasonMs = 30_000;
const refusalsPerPassMax = 2_000;
/** A long queue's forecast takes a part of a second. */
const outlookEveryMs = 5_000;

export interface Report {
  readonly view: View;
  readonly passed: Passed;
  readonly unready: readonly Unready[];
  readonly committed: Committed;
  readonly paceOf: PaceOf;
  readonly at: number;
}

export class Reporter {
  readonly #db: Db;
  #outlookMs = -Infinity;
  #hadOutlook = true;

  constructor(db: Db) {
    this.#db = db;
  }

  /** True if there was more to write than one pass may. */
  async report(of: Report): Promise<boolean> {
    const all = [...reasons(of)].filter(({ entry, reason }) => isNews(entry, reason, of.at));
    const now = all.slice(0, refusalsPerPassMax);
    const refusals = now.map(({ entry, reason }): Refusal => ({
      tenantId: entry.tenantId,
      requestId: entry.requestId,
      turn: entry.turn,
      reason,
    }));
    await recordRefusals(this.#db, refusals, of.at);
    const anew = now.filter(({ entry, reason }) => entry.refusal?.code !== reason.code);
    if (anew.length > 0 || of.committed.starts.length > 0) {
      await recordDecision(this.#db, decisionOf(of, anew));
    }
    await this.#writeOutlook(of);
    return all.length > now.length;
  }

  async #writeOutlook({ passed, paceOf, at }: Report): Promise<void> {
    const isNothing = passed.plan.waiting.length === 0;
    if (isNothing && !this.#hadOutlook) return;
    if (!isNothing && performance.now() - this.#outlookMs < outlookEveryMs) return;
    this.#outlookMs = performance.now();
    this.#hadOutlook = !isNothing;
    await writeOutlooks(this.#db, outlooksOf(passed, paceOf), at);
  }
}

function* reasons({ passed, unready }: Report): Generator<Said> {
  yield* unready;
  for (const { group, reason } of passed.waiting) {
    for (const { entry } of group.members) yield { entry, reason };
  }
}

function isNews({ refusal, refusedAt }: WaitingEntry, reason: Reason, at: number): boolean {
  if (refusal?.code !== reason.code) return true;
  if (refusal.message === reason.message) return false;
  return refusedAt === null || Math.abs(at - refusedAt) >= sameReasonMs;
}

function outlooksOf({ plan, snapshot, waiting }: Passed, paceOf: PaceOf): Outlook[] {
  const ranges = forecast(snapshot, plan, paceOf);
  const groups = new Map(waiting.map(({ group }) => [group.work.id, group]));
  const byPool = Map.groupBy(
    plan.waiting.flatMap(({ id }) => groups.get(id) ?? []),
    ({ work }) => work.pool,
  );
  return [...byPool].map(([pool, inOrder]) => {
    const requestIds: string[] = [];
    const each: (StartRange | undefined)[] = [];
    // A gang has one place in line, under its own id, which is that of its first member.
    for (const { work } of inOrder) {
      requestIds.push(work.id);
      each.push(ranges.get(work.id));
    }
    return { pool, requestIds, ranges: each };
  });
}

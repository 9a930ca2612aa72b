/**
 * Places what waits: one look at everything, one plan for the whole queue, and commits of many starts
 * at a time. What became stale meanwhile is planned again in the next pass; several processes may
 * do this at once. What must stay true: a look that costs much is not repeated for nothing, and
 * nothing waits longer for one than `unchangedMsMax`.
 */
import type { Db } from "#db/pool.ts";
import { analyzeNew } from "#db/statistics.ts";
import { pruneDecisions } from "#flow/queue/decisions.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { asksOf } from "./asks.ts";
import type { Asked } from "./demand.ts";
import { commitStarts, startsPerCommitMax, type Committed, type Starts } from "./commit.ts";
import { nothingYet, readLately } from "./lately.ts";
import { planPass, type Found, type Passed } from "./pass.ts";
import { Planner } from "./planner.ts";
import { readView, type Digest, type View } from "./read.ts";
import { Reporter } from "./report.ts";
import { countUse } from "./running.ts";
import { marketOf } from "./market.ts";

/** Passes in a row that start over at once; after that, the period. */
const staleInRowMax = 5;
/** Looking again at what did not change takes this share of the time, at most ... */
const idleShare = 0.05;
/** ... but is done this often in any case: times pass, and with them reservations. */
const unchangedMsMax = 30_000;
const countEveryMs = 60_000;
const pruneEveryMs = 3_600_000;
/** What a pass joins; a new installation has no statistics of them when its first thousand jobs come. */
const joinedTables = ["request", "queue_entry", "placement", "gpu_claim", "instance"];
const analyzeEveryMs = 5_000;
const learnEveryMs = 600_000;

export function placeLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  let lately = nothingYet;
  let planner = new Planner([]);
  const reporter = new Reporter(db);
  let last: { readonly digest: Digest; readonly atMs: number; readonly costMs: number } | undefined;
  let staleInRow = 0;
  const count = everySoOften(countEveryMs, () => countUse(db, now()));
  const prune = everySoOften(pruneEveryMs, () => pruneDecisions(db, now()));
  const analyze = everySoOften(analyzeEveryMs, () => analyzeNew(db, joinedTables));

  const learn = everySoOften(learnEveryMs, async () => {
    const before = mixOf(lately.asked);
    lately = await readLately(db);
    // Another mix is other scores for all hosts.
    if (mixOf(lately.asked) !== before) planner = new Planner([], undefined, lately.asked);
  });

  const isKnown = (digest: Digest): boolean => {
    if (last === undefined) return false;
    const same = last.digest.queue === digest.queue && last.digest.capacity === digest.capacity;
    const restMs = Math.min(unchangedMsMax, last.costMs / idleShare);
    return same && performance.now() - last.atMs < restMs;
  };

  return {
    name: "place",
    periodMs: 3_000,
    channels: ["queue", "capacity"],
    pass: async (signal) => {
      await count();
      await prune();
      await analyze();
      await learn();
      const startedMs = performance.now();
      const at = now();
      const view = await readView(db, { now: at, isKnown });
      if (view === undefined) return "rest";
      const { passed, unready } = planned(view, at);
      const committed = await commitAll(passed.found, signal);
      const behind = await reporter.report({
        view,
        passed,
        unready,
        committed,
        paceOf: lately.paceOf,
        at,
      });
      const isDone = committed.starts.length === 0 && !behind && !passed.cut;
      const costMs = performance.now() - startedMs;
      // What was started changes the digest; only a look that started nothing is worth keeping.
      last = isDone ? { digest: view.digest, atMs: performance.now(), costMs } : undefined;
      staleInRow = committed.stale.length > 0 ? staleInRow + 1 : 0;
      if (staleInRow > 0) return staleInRow < staleInRowMax ? "again" : "rest";
      return behind || (passed.cut && committed.starts.length > 0) ? "again" : "rest";
    },
  };

  function planned(
    view: View,
    at: number,
  ): { readonly passed: Passed; readonly unready: ReturnType<typeof asksOf>["unready"] } {
    const { groups, unready } = asksOf(view);
    planner.refresh(view.hosts);
    return {
      passed: planPass(groups, marketOf(view, { groups, at }), planner, {
        neighbors: view.neighbors,
      }),
      unready,
    };
  }

  async function commitAll(found: readonly Found[], signal: AbortSignal): Promise<Committed> {
    const starts: Committed["starts"][number][] = [];
    const stale: Starts[] = [];
    for (const batch of batches(found.map(startsOf))) {
      if (signal.aborted) break;
      // oxlint-disable-next-line no-await-in-loop -- in the order of the plan
      const committed = await commitStarts(db, batch, now());
      starts.push(...committed.starts);
      stale.push(...committed.stale);
    }
    return { starts, stale };
  }
}

function startsOf({ starts }: Found): Starts {
  return starts.map(({ member, placed }) => ({ entry: member.entry, hostId: placed.hostId }));
}

/** Gangs stay whole. */
function batches(groups: readonly Starts[]): Starts[][] {
  const all: Starts[][] = [];
  let size = startsPerCommitMax;
  for (const group of groups) {
    if (size + group.length > startsPerCommitMax) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(group);
    size += group.length;
  }
  return all;
}

/** What is asked for, in twentieths of all. */
function mixOf(asked: readonly Asked[]): string {
  const all = asked.reduce((sum, { count }) => sum + count, 0);
  return asked
    .map(({ shape, count }) => ({ shape, twentieths: Math.round((20 * count) / all) }))
    .filter(({ twentieths }) => twentieths > 0)
    .map((share) => JSON.stringify(share))
    .toSorted()
    .join(" ");
}

/** By a clock that nobody sets; the first time at once. */
function everySoOften(everyMs: number, act: () => Promise<unknown>): () => Promise<void> {
  let nextMs = -Infinity;
  return async () => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + everyMs;
    await act();
  };
}

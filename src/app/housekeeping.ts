/** What has to be done now and then, by any one process. */
import { forgetAnswers } from "#api/idempotency.ts";
import type { Db } from "#db/pool.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { forgetSessions } from "#identity/sessions.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Observer } from "#observe/observer.ts";

import { heldForNothing } from "#orders/held-for-nothing.ts";

const hourMs = 3_600_000;
/** What each forgets at most in one statement. */
const forgottenPerPass = 1_000;
const findingsInAlert = 3;

export function housekeepingLoop(context: {
  readonly db: Db;
  readonly observer: Observer;
  readonly now: () => number;
}): LoopDefinition {
  const { db, observer, now } = context;
  return {
    name: "housekeeping",
    periodMs: hourMs,
    channels: [],
    pass: async (signal) => {
      while (!signal.aborted && (await forgetAnswers(db, now())) >= forgottenPerPass);
      while (!signal.aborted && (await forgetSessions(db, now())) >= forgottenPerPass);
      // R-LED-1: everything sums to zero, and each balance is its postings.
      const findings = await checkLedger(db);
      for (const finding of findings) {
        observer.log.error({ ...finding }, "the ledger does not balance");
      }
      await sayWhetherItBalances(db, { findings, at: now() });
      await sayWhatIsHeldForNothing(db, now());
      return "rest";
    },
  };
}

async function sayWhetherItBalances(
  db: Db,
  { findings, at }: { readonly findings: readonly object[]; readonly at: number },
): Promise<void> {
  const key = "ledger";
  if (findings.length === 0) {
    await resolveAlert(db, { key, by: "housekeeping", at });
    return;
  }
  const finding = JSON.stringify(findings.slice(0, findingsInAlert));
  await raiseAlert(db, {
    key,
    kind: "ledger_unbalanced",
    severity: "critical",
    data: { finding, count: findings.length },
    at,
  });
}

async function sayWhatIsHeldForNothing(db: Db, at: number): Promise<void> {
  const key = "held-for-nothing";
  const findings = await heldForNothing(db);
  const [first] = findings;
  if (first === undefined) {
    await resolveAlert(db, { key, by: "housekeeping", at });
    return;
  }
  const data = { tenant: first.tenantId, problem: first.problem, count: findings.length };
  await raiseAlert(db, { key, kind: "held_for_nothing", severity: "warning", data, at });
}

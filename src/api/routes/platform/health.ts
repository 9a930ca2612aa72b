/**
 * `/healthz`: the process answers, and nothing more; restart it when it does not. `/readyz`: it can
 * do its work; send it no requests while it cannot.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { failureClasses } from "#kernel/failure.ts";

import type { Handlers } from "#api/handler.ts";

interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export const healthHandlers = {
  getHealth: () => Promise.resolve({ status: "ok" }),

  getReadiness: async (_input, { db, services, signal, answerWith }) => {
    const checks = [await databaseAnswers(db), ...(await services.system.checks(signal))];
    const isReady = checks.every(({ ok }) => ok);
    if (!isReady) answerWith(failureClasses.unavailable.status);
    return { status: isReady ? "ready" : "not_ready", checks };
  },
} satisfies Partial<Handlers>;

async function databaseAnswers(db: Db): Promise<Check> {
  const name = "database";
  try {
    await db.one(sql`select 1 as one`, z.object({ one: z.literal(1) }));
    return { name, ok: true, detail: "answers" };
  } catch {
    // The cause may name hosts and accounts; this path is public.
    return { name, ok: false, detail: "does not answer" };
  }
}

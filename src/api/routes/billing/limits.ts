/** Limits of the queue, for the operator, and for a domain admin those of his projects. */
import type { z } from "zod";

import { v7 as uuid } from "uuid";

import type { Handlers } from "#api/handler.ts";
import { rfc3339 } from "#api/routes/leases/show.ts";
import type * as wire from "#contract/schemas/limits.ts";
import type { Queryable } from "#db/pool.ts";
import {
  limitsOfTenant,
  queueCaps,
  setLimit,
  setQueueCap,
  type QueueLimit,
} from "#flow/queue/limit-store.ts";
import { unitsPerWhole } from "#flow/queue/snapshot.ts";
import { projectForWork } from "#identity/projects.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, parseFen } from "#kernel/money.ts";

type Body = z.output<typeof wire.setLimitBody>;

export const limitHandlers = {
  listLimits: (_input, { tx, tenantId }) => shown(tx, tenantId),

  setLimit: async ({ body }, { tx, tenantId, now, note }) => {
    await setLimit(tx, { ...limitOf(tenantId, null, body), id: uuid(), at: now() });
    tx.nudge("queue");
    note({ target: tenantId, details: { ...body } });
    return shown(tx, tenantId);
  },

  setProjectLimit: async ({ params, body }, { tx, tenantId, now, note }) => {
    const project = await projectForWork(tx, tenantId, params.projectId);
    const limit = limitOf(tenantId, project.id, body);
    requireWithin(limit, await limitsOfTenant(tx, tenantId));
    await setLimit(tx, { ...limit, id: uuid(), at: now() });
    tx.nudge("queue");
    note({ target: project.id, details: { ...body } });
    return shown(tx, tenantId);
  },

  setShareCap: async ({ body }, { tx, tenantId, note }) => {
    await setQueueCap(tx, body);
    tx.nudge("queue");
    note({ details: { ...body } });
    return shown(tx, tenantId);
  },
} satisfies Partial<Handlers>;

type NewLimit = Omit<QueueLimit, "updatedAt">;

function limitOf(tenantId: string, projectId: string | null, body: Body): NewLimit {
  const { gpusMax, moneyPerMonth } = body;
  return {
    tenantId,
    projectId,
    gpuModel: body.gpuModel ?? null,
    milliMax: gpusMax === undefined ? null : Math.round(gpusMax * unitsPerWhole),
    monthHoursMax: body.gpuHoursPerMonth ?? null,
    monthFenMax: moneyPerMonth === undefined ? null : parseFen(moneyPerMonth),
  };
}

/** A project's limit that is wider than its customer's would promise what it does not give. */
function requireWithin(limit: NewLimit, all: readonly QueueLimit[]): void {
  for (const whole of all) {
    if (whole.projectId !== null) continue;
    if (whole.gpuModel !== null && whole.gpuModel !== limit.gpuModel) continue;
    const isCpu = limit.gpuModel === "cpu" && whole.gpuModel === null;
    if (!isCpu && over(limit.milliMax, whole.milliMax)) {
      throw beyond("GPUs", (whole.milliMax ?? 0) / unitsPerWhole);
    }
    if (!isCpu && over(limit.monthHoursMax, whole.monthHoursMax)) {
      throw beyond("GPU-hours a month", whole.monthHoursMax ?? 0);
    }
    if (over(limit.monthFenMax, whole.monthFenMax)) {
      throw beyond("CNY a month", formatFen(fen(whole.monthFenMax ?? 0n)));
    }
  }
}

function over<T extends number | bigint>(part: T | null, whole: T | null): boolean {
  return part !== null && whole !== null && part > whole;
}

function beyond(what: string, limit: number | string): Failure {
  return new Failure(
    "rule_violation",
    `That is beyond the customer's own limit of ${limit} ${what}; the operator can raise it.`,
    { details: { limit } },
  );
}

async function shown(db: Queryable, tenantId: string): Promise<z.output<typeof wire.queueLimits>> {
  const limits = await limitsOfTenant(db, tenantId);
  return {
    limits: limits.map((limit) => ({
      projectId: limit.projectId,
      gpuModel: limit.gpuModel,
      gpusMax: limit.milliMax === null ? null : limit.milliMax / unitsPerWhole,
      gpuHoursPerMonth: limit.monthHoursMax,
      moneyPerMonth: limit.monthFenMax === null ? null : formatFen(fen(limit.monthFenMax)),
      updatedAt: rfc3339(limit.updatedAt),
    })),
    shares: await queueCaps(db),
  };
}

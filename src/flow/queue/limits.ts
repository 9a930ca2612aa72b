/**
 * What a customer may hold and spend. A start counts against every limit that names its tenant,
 * project and pool; what it may cost is what it costs if it runs for all of its estimate, so no
 * budget can be exceeded by what was let in.
 */
import type { Reason } from "#kernel/reason.ts";

import type { Limit, QueuedWork, RunningWork } from "./work.ts";

const hourMs = 3_600_000n;

interface Held {
  readonly limit: Limit;
  units: number;
  unitMs: number;
  fen: bigint;
}

interface Owned {
  readonly tenantId: string;
  readonly projectId: string;
  readonly pool: string;
}

export class Limits {
  readonly #byTenant: Map<string, Held[]>;
  readonly #prices: ReadonlyMap<string, bigint>;

  constructor(
    limits: readonly Limit[],
    running: readonly RunningWork[],
    prices: ReadonlyMap<string, bigint>,
  ) {
    const held = limits.map((limit) => ({ limit, units: 0, unitMs: 0, fen: 0n }));
    this.#byTenant = Map.groupBy(held, ({ limit }) => limit.tenantId);
    this.#prices = prices;
    if (limits.length === 0) return;
    for (const work of running) {
      const units = work.parts.reduce((sum, part) => sum + part.units, 0);
      for (const one of this.#of(work)) one.units += units;
    }
  }

  /** Why it may not start now; undefined if it may. */
  refusal(work: QueuedWork): Reason | undefined {
    for (const held of this.#of(work)) {
      const reason = overHold(work, held) ?? overHours(work, held) ?? this.#overMoney(work, held);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  start(work: QueuedWork): void {
    for (const held of this.#of(work)) {
      held.units += work.units;
      held.unitMs += work.units * work.estimateMs;
      held.fen += this.#cost(work);
    }
  }

  #of(work: Owned): Held[] {
    const all = this.#byTenant.get(work.tenantId);
    if (all === undefined) return [];
    return all.filter(
      ({ limit }) =>
        (limit.projectId === undefined || limit.projectId === work.projectId) &&
        (limit.pool === undefined || limit.pool === work.pool),
    );
  }

  /** Rounded up to the fen. */
  #cost({ pool, units, estimateMs }: QueuedWork): bigint {
    const price = this.#prices.get(pool) ?? 0n;
    const exact = price * BigInt(units) * BigInt(Math.ceil(estimateMs));
    return (exact + hourMs - 1n) / hourMs;
  }

  #overMoney(work: QueuedWork, { limit, fen }: Held): Reason | undefined {
    if (limit.fenLeft === undefined) return undefined;
    const needed = this.#cost(work);
    const left = limit.fenLeft - fen;
    if (needed <= left) return undefined;
    const details = { neededFen: needed.toString(), leftFen: left.toString() };
    const message = `It may cost ${needed} fen; the month's budget has ${left} fen left.`;
    return { code: "budget_money", message, details };
  }
}

function overHold(work: QueuedWork, { limit, units }: Held): Reason | undefined {
  if (limit.unitsMax === undefined || units + work.units <= limit.unitsMax) return undefined;
  const who = limit.projectId === undefined ? "The customer" : "The project";
  return {
    code: "quota_held",
    message: `${who} holds ${units} of at most ${limit.unitsMax} and this needs ${work.units} more.`,
    details: { held: units, heldMax: limit.unitsMax, needed: work.units, pool: limit.pool },
  };
}

function overHours(work: QueuedWork, { limit, unitMs }: Held): Reason | undefined {
  if (limit.unitMsLeft === undefined) return undefined;
  const needed = work.units * work.estimateMs;
  const left = limit.unitMsLeft - unitMs;
  if (needed <= left) return undefined;
  return {
    code: "budget_hours",
    message: `It may use ${hours(needed)} hours of GPUs; the month's budget has ${hours(left)} left.`,
    details: { neededMs: needed, leftMs: left },
  };
}

function hours(unitMs: number): string {
  return (unitMs / Number(hourMs)).toFixed(1);
}

/**
 * What a customer may hold and spend. A start counts against every limit that names its tenant,
 * project and pool; what it may cost is what it costs if it runs for as long as it may, so no
 * budget can be exceeded by jobs that were let in. Of a lease, which says no end, an hour counts.
 */
import type { Reason } from "#kernel/reason.ts";

import type { Limit, QueuedWork, Snapshot } from "./work.ts";

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
  readonly #whole: number;

  constructor(of: Pick<Snapshot, "limits" | "running" | "fenPerUnitHour" | "unitsPerWhole">) {
    const { limits, running } = of;
    const held = limits.map((limit) => ({ limit, units: 0, unitMs: 0, fen: 0n }));
    this.#byTenant = Map.groupBy(held, ({ limit }) => limit.tenantId);
    this.#prices = of.fenPerUnitHour;
    this.#whole = of.unitsPerWhole ?? 1;
    if (limits.length === 0) return;
    for (const work of running) {
      const units = work.parts.reduce((sum, part) => sum + part.units, 0);
      for (const one of this.#of(work)) one.units += units;
    }
  }

  /** Why it may not start now; undefined if it may. */
  refusal(work: QueuedWork): Reason | undefined {
    for (const held of this.#of(work)) {
      const reason =
        this.#overHold(work, held) ?? this.#overHours(work, held) ?? this.#overMoney(work, held);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  start(work: QueuedWork): void {
    for (const held of this.#of(work)) {
      held.units += work.units;
      held.unitMs += work.units * promisedMs(work);
      held.fen += this.#cost(work);
    }
  }

  left(): Limit[] {
    return [...this.#byTenant.values()].flat().map(({ limit, unitMs, fen }) => ({
      ...limit,
      unitMsLeft: limit.unitMsLeft === undefined ? undefined : limit.unitMsLeft - unitMs,
      fenLeft: limit.fenLeft === undefined ? undefined : limit.fenLeft - fen,
    }));
  }

  #of(work: Owned): Held[] {
    const all = this.#byTenant.get(work.tenantId);
    if (all === undefined) return [];
    return all.filter(
      ({ limit }) =>
        (limit.projectId === undefined || limit.projectId === work.projectId) &&
        (limit.pool === undefined || limit.pool === work.pool) &&
        limit.exceptPool !== work.pool,
    );
  }

  /** Rounded up to the fen. */
  #cost(work: QueuedWork): bigint {
    const { fenPerHour, pool, units } = work;
    const price = fenPerHour ?? (this.#prices.get(pool) ?? 0n) * BigInt(units);
    const exact = price * BigInt(Math.ceil(promisedMs(work)));
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

  #overHold(work: QueuedWork, { limit, units }: Held): Reason | undefined {
    if (limit.unitsMax === undefined || units + work.units <= limit.unitsMax) return undefined;
    const who = limit.projectId === undefined ? "The customer" : "The project";
    const of = limit.pool === undefined ? "" : ` of ${limit.pool}`;
    const [held, heldMax, needed] = [units, limit.unitsMax, work.units].map((n) => n / this.#whole);
    return {
      code: "quota_held",
      message: `${who} holds ${held}${of} of at most ${heldMax}, and this needs ${needed} more.`,
      details: { held, heldMax, needed, pool: limit.pool },
    };
  }

  #overHours(work: QueuedWork, { limit, unitMs }: Held): Reason | undefined {
    if (limit.unitMsLeft === undefined) return undefined;
    const needed = (work.units * promisedMs(work)) / this.#whole;
    const left = (limit.unitMsLeft - unitMs) / this.#whole;
    if (needed <= left) return undefined;
    return {
      code: "budget_hours",
      message: `It may use ${hours(needed)} hours of GPUs; the month's budget has ${hours(Math.max(0, left))} left.`,
      details: { neededMs: needed, leftMs: left },
    };
  }
}

/** The limits once `started` have begun; what they hold is counted with what runs. */
export function spent(
  of: Pick<Snapshot, "limits" | "fenPerUnitHour">,
  started: readonly QueuedWork[],
): readonly Limit[] {
  if (of.limits.length === 0 || started.length === 0) return of.limits;
  const limits = new Limits({ ...of, running: [] });
  for (const work of started) limits.start(work);
  return limits.left();
}

/** Of a lease, which says no end, an hour at a time. */
function promisedMs({ longestMs, estimateMs }: QueuedWork): number {
  const longest = longestMs ?? estimateMs;
  return longest === Infinity ? Number(hourMs) : longest;
}

function hours(unitMs: number): string {
  return (unitMs / Number(hourMs)).toFixed(1);
}

/**
 * From rows to what the policy is told. Pure: who reads the rows hands them over (place/read.ts for
 * what runs and the hosts, which this stage does not know). Units are thousandths of a GPU, and of a
 * CPU for work without GPU, which is a pool of its own.
 */
import { parseFen } from "#kernel/money.ts";
import { milliCpusOf, type Shape } from "#kernel/shape.ts";

import { everyModel, type QueueCap, type QueueLimit } from "./limit-store.ts";
import { decayed } from "./shares.ts";
import type { WaitingEntry } from "./store.ts";
import type { Limit, PoolHost, QueuedWork, Usage, Where } from "./work.ts";

export const unitsPerWhole = 1000;
/** The pool of work without GPU. */
export const cpuPool = "cpu";
/** How many CPUs weigh as much as a GPU in what somebody used. */
const cpusPerGpu = 16;
const hourMs = 3_600_000;

export function poolOf({ gpu }: Pick<Shape, "gpu">): string {
  return gpu === null ? cpuPool : gpu.model;
}

/** A whole GPU is 1000, a slice 1/n rounded down, so that n of them fit. */
export function unitsOf(shape: Shape): number {
  if (shape.gpu === null) return milliCpusOf(shape);
  return shape.gpu.count * Math.floor(unitsPerWhole / shape.gpu.slice);
}

/** One entry, or all members of a gang. */
export interface Ask {
  readonly id: string;
  readonly entries: readonly WaitingEntry[];
  readonly where: Where;
  /** It can start where its disk is and nowhere else. */
  readonly pinned: boolean;
}

/** Throws for an ask without entries. */
export function workOf({ id, entries, where, pinned }: Ask): QueuedWork {
  const [first] = entries;
  if (first === undefined) throw new RangeError("nobody asks");
  const largest = Math.max(...entries.map(({ shape }) => unitsOf(shape)));
  const gang = entries.length > 1;
  const { gpu, pool } = first.shape;
  return {
    id,
    tenantId: first.tenantId,
    projectId: first.projectId,
    workClass: first.workClass,
    askedAt: Math.min(...entries.map(({ askedAt }) => askedAt)),
    pool: poolOf(first.shape),
    // Members that differ count as the largest of them: room for them is room for these.
    units: largest * entries.length,
    gang,
    memberUnits: gang ? largest : undefined,
    estimateMs: Math.max(...entries.map(({ estimateMs }) => estimateMs)),
    deadlineAt: first.deadlineAt ?? undefined,
    lease: first.kind === "job" ? undefined : pinned ? "pinned" : "new",
    where,
    // Who names a pool competes with those who name it.
    lane: pinned ? where.key : `${pool ?? ""}/${gpu?.model ?? cpuPool}`,
    longestMs: Math.max(...entries.map(({ longestMs }) => longestMs)),
    fenPerHour: entries.reduce(
      (sum, { hourly }) => sum + (hourly === null ? 0n : parseFen(hourly)),
      0n,
    ),
  };
}

/** What a project used and what is promised to what it runs, of one pool. */
export interface Used {
  readonly tenantId: string;
  readonly projectId: string;
  readonly pool: string;
  /** Decayed. */
  readonly unitMs: number;
  readonly asOf: number;
  readonly monthUnitMs: number;
  readonly monthFen: bigint;
}

export interface Promised {
  readonly tenantId: string;
  readonly projectId: string;
  readonly pool: string;
  readonly unitMs: number;
  readonly fen: bigint;
}

/** Of each tenant, GPUs and CPUs together, all decayed up to one instant of the records. */
export function usageOf(used: readonly Used[], halfLifeMs: number): Usage[] {
  const asOf = used.reduce((latest, row) => Math.max(latest, row.asOf), 0);
  return [...Map.groupBy(used, ({ tenantId }) => tenantId)].map(([tenantId, rows]) => {
    const amounts = rows.map((row) => {
      const unitMs = row.pool === cpuPool ? row.unitMs / cpusPerGpu : row.unitMs;
      return decayed({ tenantId, unitMs, asOf: row.asOf, weight: 1 }, asOf, halfLifeMs);
    });
    return { tenantId, unitMs: amounts.reduce((sum, each) => sum + each, 0), asOf, weight: 1 };
  });
}

export interface LimitRows {
  readonly limits: readonly QueueLimit[];
  readonly caps: readonly QueueCap[];
  readonly used: readonly Used[];
  readonly promised: readonly Promised[];
}

/** Of the tenants that wait for something. */
export function limitsFor(
  rows: LimitRows,
  of: { readonly waiting: readonly QueuedWork[]; readonly hosts: readonly PoolHost[] },
): Limit[] {
  const tenants = new Set(of.waiting.map(({ tenantId }) => tenantId));
  const set = rows.limits.filter(({ tenantId }) => tenants.has(tenantId));
  return [...set.flatMap((limit) => limitOf(limit, rows)), ...shareCaps(rows, of)];
}

function limitOf(limit: QueueLimit, rows: LimitRows): Limit[] {
  const { tenantId, projectId, gpuModel, milliMax, monthHoursMax, monthFenMax } = limit;
  const who = { tenantId, projectId: projectId ?? undefined };
  const isHis = (row: Used | Promised): boolean =>
    row.tenantId === tenantId && (projectId ?? row.projectId) === row.projectId;
  const used = rows.used.filter(isHis);
  const promised = rows.promised.filter(isHis);
  const limits: Limit[] = [];
  if (milliMax !== null || monthHoursMax !== null) {
    const isOf = ({ pool }: Used | Promised): boolean =>
      gpuModel === null ? pool !== cpuPool : pool === gpuModel;
    const spentMs = sumOf(used.filter(isOf).map(({ monthUnitMs }) => monthUnitMs));
    const boundMs = sumOf(promised.filter(isOf).map(({ unitMs }) => unitMs));
    limits.push({
      ...who,
      ...(gpuModel === null ? { exceptPool: cpuPool } : { pool: gpuModel }),
      unitsMax: milliMax ?? undefined,
      unitMsLeft:
        monthHoursMax === null
          ? undefined
          : monthHoursMax * hourMs * unitsPerWhole - spentMs - boundMs,
    });
  }
  if (monthFenMax !== null) {
    const gone = [...used.map(({ monthFen }) => monthFen), ...promised.map(({ fen }) => fen)];
    limits.push({ ...who, fenLeft: gone.reduce((left, each) => left - each, monthFenMax) });
  }
  return limits;
}

function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((sum, each) => sum + each, 0);
}

/** S-13: one customer holds no more than this share of the GPUs of a model, unless more was said of him. */
function shareCaps(
  { limits, caps }: LimitRows,
  {
    waiting,
    hosts,
  }: { readonly waiting: readonly QueuedWork[]; readonly hosts: readonly PoolHost[] },
): Limit[] {
  const usual = caps.find(({ gpuModel }) => gpuModel === everyModel)?.percent ?? 100;
  const pairs = new Map(
    waiting.map(({ tenantId, pool }) => [`${tenantId} ${pool}`, { tenantId, pool }]),
  );
  return [...pairs.values()].flatMap(({ tenantId, pool }) => {
    const own = caps.find(({ gpuModel }) => gpuModel === pool)?.percent;
    const percent = own ?? (pool === cpuPool ? 100 : usual);
    const said = limits.some(
      (limit) =>
        limit.tenantId === tenantId &&
        limit.projectId === null &&
        limit.gpuModel === pool &&
        limit.milliMax !== null,
    );
    if (percent >= 100 || said) return [];
    const total = hosts.reduce((sum, host) => sum + (host.pool === pool ? host.units : 0), 0);
    // One whole one at least, or nobody could have any of a small pool.
    return [
      { tenantId, pool, unitsMax: Math.max(unitsPerWhole, Math.floor((total * percent) / 100)) },
    ];
  });
}

/**
 * May this caller have this, now? Pure. What the tenant may not have is said before what no host has,
 * and that before what he cannot pay. A refusal names the limit, the use and the ask, and all
 * limits that are broken, not only the first.
 */
import type { Failure, FailureCode } from "#kernel/failure.ts";
import { fen, formatFen, type Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

/** Resources that a tenant's quota counts. `gpus` is by model, in whole devices rounded up. */
export interface Quantities {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly leases: number;
  readonly jobs: number;
  readonly snapshots: number;
  readonly storageGiB: number;
  readonly gpus: Readonly<Record<string, number>>;
}

/** What a new tenant may hold until the operator says otherwise. */
export const defaultLimits: Quantities = {
  vcpus: 64,
  memoryMiB: 262_144,
  diskGiB: 4_096,
  leases: 50,
  jobs: 1_000,
  snapshots: 50,
  storageGiB: 100,
  gpus: { T4: 16, A10: 16, A100: 16, H100: 8 },
};

export interface Ask {
  readonly kind: "lease" | "job";
  readonly shape: Shape;
  /** So many alike, together or not at all; one when left out. */
  readonly members?: number;
}

export type Admission =
  /** What is held for each member. */
  | { readonly admitted: true; readonly hold: Fen }
  | {
      readonly admitted: false;
      readonly code: FailureCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

export interface AdmissionInput {
  readonly ask: Ask;
  readonly limits: Quantities;
  readonly used: Quantities;
  /** Why no host could ever carry it. */
  readonly impossible: Failure | undefined;
  /** Price of the first hour; `undefined` when something in it has no price. */
  readonly hourly: Fen | undefined;
  /** Longest that it can run, in seconds; a job's time limit. */
  readonly secondsMax: number | undefined;
  readonly available: Fen;
}

const secondsPerHour = 3600;

export function decideAdmission(input: AdmissionInput): Admission {
  const over = overQuota(askedBy(input.ask), input.limits, input.used);
  if (over.length > 0) {
    return {
      admitted: false,
      code: "quota_exceeded",
      message: `Over quota: ${over.map(sentence).join("; ")}. Release something, or ask the operator for more.`,
      details: { quota: over },
    };
  }
  if (input.impossible !== undefined) {
    const { code, message, details } = input.impossible;
    return { admitted: false, code, message, details };
  }
  if (input.hourly === undefined) {
    return {
      admitted: false,
      code: "rule_violation",
      message: `The flavor ${input.ask.shape.flavor} has no price yet (on request), so it cannot be ordered. Ask the operator for a price.`,
      details: { flavor: input.ask.shape.flavor },
    };
  }
  const hold = holdFor(input.hourly, input.secondsMax);
  const { members = 1 } = input.ask;
  const all = fen(hold * BigInt(members));
  if (input.available < all || input.available <= 0n) {
    const hourly = fen(input.hourly * BigInt(members));
    const whose = members === 1 ? "The first hour" : `The first hour of all ${members} members`;
    return {
      admitted: false,
      code: "insufficient_credit",
      message: `${whose} costs ${formatFen(hourly)} CNY, of which ${formatFen(all)} is held; ${formatFen(input.available)} is available. Top up and try again.`,
      details: {
        hourly: formatFen(hourly),
        hold: formatFen(all),
        available: formatFen(input.available),
      },
    };
  }
  return { admitted: true, hold };
}

/**
 * The price of one hour, or of the whole run if that is shorter, rounded up: the reserve that
 * keeps a customer from running on credit that he does not have between two ratings.
 */
function holdFor(hourly: Fen, secondsMax: number | undefined): Fen {
  if (secondsMax === undefined || secondsMax >= secondsPerHour) return hourly;
  return fenCeil(hourly * BigInt(secondsMax), BigInt(secondsPerHour));
}

export interface OverQuota {
  readonly resource: string;
  readonly limit: number;
  readonly used: number;
  readonly asked: number;
}

export function overQuota(asked: Quantities, limits: Quantities, used: Quantities): OverQuota[] {
  const found: OverQuota[] = [];
  const check = (resource: string, limit: number, use: number, ask: number): void => {
    if (ask > 0 && use + ask > limit) found.push({ resource, limit, used: use, asked: ask });
  };
  for (const name of countedNames) check(name, limits[name], used[name], asked[name]);
  for (const [model, count] of Object.entries(asked.gpus)) {
    check(`gpu.${model}`, limits.gpus[model] ?? 0, used.gpus[model] ?? 0, count);
  }
  return found;
}

/** A gang counts as so many jobs as it has members. */
export function askedBy({ kind, shape, members = 1 }: Ask): Quantities {
  return {
    vcpus: shape.vcpus * members,
    memoryMiB: shape.memoryMiB * members,
    diskGiB: shape.diskGiB * members,
    leases: kind === "lease" ? members : 0,
    jobs: kind === "job" ? members : 0,
    snapshots: 0,
    storageGiB: 0,
    gpus: shape.gpu === null ? {} : { [shape.gpu.model]: shape.gpu.count * members },
  };
}

/** What is used once this is admitted as well. */
export function withMore(used: Quantities, more: Quantities): Quantities {
  const gpus = { ...used.gpus };
  for (const [model, count] of Object.entries(more.gpus)) gpus[model] = (gpus[model] ?? 0) + count;
  return {
    vcpus: used.vcpus + more.vcpus,
    memoryMiB: used.memoryMiB + more.memoryMiB,
    diskGiB: used.diskGiB + more.diskGiB,
    leases: used.leases + more.leases,
    jobs: used.jobs + more.jobs,
    snapshots: used.snapshots + more.snapshots,
    storageGiB: used.storageGiB + more.storageGiB,
    gpus,
  };
}

const countedNames = [
  "vcpus",
  "memoryMiB",
  "diskGiB",
  "leases",
  "jobs",
  "snapshots",
  "storageGiB",
] as const;

function sentence({ resource, limit, used, asked }: OverQuota): string {
  return `${resource} ${used} used + ${asked} asked > ${limit}`;
}

function fenCeil(numerator: bigint, denominator: bigint): Fen {
  return fen((numerator + denominator - 1n) / denominator);
}

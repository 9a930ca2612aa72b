/**
 * What a pool must satisfy, what a flavor must that names one, and the three pools that the
 * requirements describe (R-POOL-02 to 04). Pure; every broken rule is named with its requirement and
 * its numbers.
 */
import type { PoolSettings } from "#contract/schemas/pools.ts";
import type { Reason } from "#kernel/reason.ts";

import type { FlavorFields } from "./flavor-rules.ts";

export type PoolPreset = "high-end" | "general" | "edge";

const reservePercentMin = 20;
/** 1:4 to 1:8 is what a shared pool sells; others are the operator's own decision. */
export const usualSlices = { from: 4, until: 8 } as const;

export const sharedPool: PoolSettings = {
  policy: "shared",
  serviceClass: "any",
  slicesMax: usualSlices.until,
  reservePercent: 0,
  spread: false,
  tenants: null,
};

export const poolPresets: Readonly<Record<PoolPreset, PoolSettings>> = {
  "high-end": {
    policy: "exclusive",
    serviceClass: "core",
    slicesMax: 1,
    reservePercent: reservePercentMin,
    spread: false,
    tenants: null,
  },
  general: sharedPool,
  // Far apart from each other: losing one place should cost little.
  edge: {
    policy: "edge",
    serviceClass: "any",
    slicesMax: 1,
    reservePercent: 0,
    spread: true,
    tenants: null,
  },
};

export function brokenPoolRules(pool: PoolSettings): Reason[] {
  const { policy, serviceClass, slicesMax, reservePercent } = pool;
  const found: Reason[] = [];
  if (policy === "exclusive" && slicesMax !== 1) {
    found.push(
      broken(
        "R-POOL-02",
        `an exclusive pool sells whole devices only, asked for slices up to 1/${slicesMax}`,
        { slicesMax },
      ),
    );
  }
  if (policy === "shared" && slicesMax === 1) {
    found.push(
      broken("R-POOL-03", "a shared pool shares its devices: slices up to 1/2 at least", {
        slicesMax,
      }),
    );
  }
  if (serviceClass === "core" && reservePercent < reservePercentMin) {
    found.push(
      broken(
        "R-POOL-05",
        `a pool of class core keeps at least ${reservePercentMin} % in reserve, asked for ${reservePercent} %`,
        { reservePercent, reservePercentMin },
      ),
    );
  }
  return found;
}

export interface NamedPool extends PoolSettings {
  readonly name: string;
}

/** Can what this flavor describes ever be sold from that pool? */
export function brokenRulesOfPool(
  flavor: Pick<FlavorFields, "gpu" | "serviceClass" | "subscriptionSku">,
  pool: NamedPool,
): Reason[] {
  const found: Reason[] = [];
  const slice = flavor.gpu?.slice ?? 1;
  if (slice > pool.slicesMax) {
    found.push(
      broken(
        pool.policy === "exclusive" ? "R-POOL-02" : "R-GPU-09",
        pool.slicesMax === 1
          ? `the pool ${pool.name} sells whole devices only, not 1/${slice}`
          : `the pool ${pool.name} cuts its devices up to 1/${pool.slicesMax}, not 1/${slice}`,
        { pool: pool.name, slice, slicesMax: pool.slicesMax },
      ),
    );
  }
  if (pool.serviceClass !== "any" && pool.serviceClass !== flavor.serviceClass) {
    found.push(
      broken(
        "R-POOL-01",
        `class ${flavor.serviceClass} does not go to the pool ${pool.name} of class ${pool.serviceClass}`,
        { pool: pool.name, serviceClass: flavor.serviceClass },
      ),
    );
  }
  if (pool.policy === "edge" && flavor.subscriptionSku !== null) {
    found.push(
      broken(
        "R-POOL-04",
        `the edge pool ${pool.name} is rented on demand only, not by subscription (${flavor.subscriptionSku})`,
        { pool: pool.name, subscriptionSku: flavor.subscriptionSku },
      ),
    );
  }
  return found;
}

function broken(code: string, message: string, details: Record<string, unknown>): Reason {
  return { code, message, details };
}

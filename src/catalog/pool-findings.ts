/** What an operator may want to know about a pool: usual ratios, its reserve, its target. Pure. */
import type { Pool, PoolSettings } from "#contract/schemas/pools.ts";

import { usualSlices } from "./pool-rules.ts";

/** What a shared pool is for: exclusive rental reaches 30 to 50 % (R-POOL-06). */
const sharedTarget = { from: 0.8, until: 0.9 } as const;

export function targetOf({ policy }: Pick<PoolSettings, "policy">): typeof sharedTarget | null {
  return policy === "shared" ? sharedTarget : null;
}

interface Seen {
  readonly hosts: number;
  /** Whose site is away. */
  readonly away: readonly {
    readonly site: string;
    readonly hosts: number;
    readonly since: string;
  }[];
  readonly gpus: readonly {
    readonly model: string;
    readonly devices: number;
    /** The device that can be cut the least. */
    readonly slicesMaxLeast: number;
  }[];
  readonly unit: "gpu" | "cpu";
  readonly capacity: number;
  readonly allocated: number;
  readonly days30: number | null;
}

export function poolFindings(pool: PoolSettings, seen: Seen): Pool["findings"] {
  const found: Pool["findings"] = [];
  const { policy, slicesMax, reservePercent } = pool;
  const say = (code: string, message: string): void => {
    found.push({ code, message });
  };
  if (seen.away.length > 0) {
    const hosts = seen.away.reduce((sum, each) => sum + each.hosts, 0);
    const where = seen.away.map(({ site, since }) => `${site} (since ${since})`).join(", ");
    say(
      "site_away",
      `${hosts} of its ${seen.hosts} hosts are at sites that do not answer: ${where}. They take nothing new; the figures have them as they were.`,
    );
  }
  if (policy === "shared" && (slicesMax < usualSlices.from || slicesMax > usualSlices.until)) {
    say(
      "R-POOL-03",
      `1:${slicesMax} is outside of the usual 1:${usualSlices.from} to 1:${usualSlices.until}`,
    );
  }
  for (const { model, slicesMaxLeast } of seen.gpus) {
    if (policy !== "shared" || slicesMaxLeast >= slicesMax) continue;
    say("R-GPU-02", `not all ${model} can be cut as far: some up to 1/${slicesMaxLeast} only`);
  }
  const units = seen.unit === "gpu" ? "GPUs" : "CPUs";
  const open = (seen.capacity * (100 - reservePercent)) / 100;
  if (reservePercent > 0 && seen.unit === "gpu" && seen.capacity > 0 && open < 1) {
    say(
      "R-POOL-05",
      `a reserve of ${reservePercent} % of ${seen.capacity} ${units} leaves no whole one to sell`,
    );
  }
  if (reservePercent > 0 && seen.allocated > open) {
    say(
      "R-POOL-05",
      `${round(seen.allocated - open)} of the ${round(seen.capacity - open)} ${units} in reserve are in use`,
    );
  }
  const target = targetOf(pool);
  if (target !== null && seen.days30 !== null && seen.days30 < target.from) {
    say(
      "R-POOL-06",
      `${round(seen.days30 * 100)} % were held over 30 days; a shared pool should reach ${target.from * 100} to ${target.until * 100} %`,
    );
  }
  return found;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

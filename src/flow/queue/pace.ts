/**
 * How much of the time that its owner allowed does work use? From what ended lately, by who asked and by
 * what he asked for; where little ended, from what others asked alike; where nothing did, as on the traces
 * that were looked at. Pure. What must stay true: the share is never more than 1, so that "at the
 * latest" holds for what keeps its limit.
 */

/** Shares of estimates that runs use: the quickest in twenty, and half of them. */
export interface Pace {
  readonly quick: number;
  readonly usual: number;
}

/** Whose, of which pool, and of which size. */
export interface Paced {
  readonly tenantId: string;
  readonly pool: string;
  /** Units that one machine of it holds. */
  readonly units: number;
}

export type PaceOf = (work: Paced) => Pace;

/** What ended; `tenantId` is null for all tenants together. */
export interface EndedClass extends Pace {
  readonly tenantId: string | null;
  readonly pool: string;
  readonly size: number;
  readonly count: number;
}

/** Half of all jobs of the traces use less than two fifths of their limit. */
export const usualPace: Pace = { quick: 0.05, usual: 0.4 };
/** What was usual before weighs as much as so many that ended. */
const priorWeight = 20;

/** Units from which a size begins: a part of a GPU, one, several, a host's worth. */
export const sizeBounds = [1000, 2000, 8000] as const;

export function sizeOf(units: number): number {
  return sizeBounds.filter((bound) => units >= bound).length;
}

export function pacesOf(ended: readonly EndedClass[]): PaceOf {
  const known = new Map(ended.map((each) => [keyOf(each), each]));
  const paces = new Map<string, Pace>();
  return ({ tenantId, pool, units }) => {
    const size = sizeOf(units);
    const key = keyOf({ tenantId, pool, size });
    let pace = paces.get(key);
    if (pace === undefined) {
      const everybody = known.get(keyOf({ tenantId: null, pool, size }));
      pace = drawn(drawn(usualPace, everybody), known.get(key));
      paces.set(key, pace);
    }
    return pace;
  };
}

function keyOf({ tenantId, pool, size }: Pick<EndedClass, "tenantId" | "pool" | "size">): string {
  return `${tenantId ?? "*"} ${size} ${pool}`;
}

/** From what was usual before towards what ended, the more the more ended. */
function drawn(before: Pace, ended: EndedClass | undefined): Pace {
  if (ended === undefined) return before;
  const weight = ended.count / (ended.count + priorWeight);
  const towards = (from: number, to: number): number =>
    from + (Math.min(1, Math.max(0, to)) - from) * weight;
  return {
    quick: towards(before.quick, ended.quick),
    usual: towards(before.usual, ended.usual),
  };
}

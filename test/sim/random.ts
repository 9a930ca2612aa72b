/** Random choices from a seed that a failing run prints. */
export interface Random {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  below(count: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  maybePick<T>(from: readonly T[]): T | undefined;
}

/** mulberry32: 32 bits of state are plenty for the choices of a test. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    seed,
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)] ?? from[0],
    maybePick: (from) => from[below(from.length)],
  };
}

/** `SIM_SEED` repeats one run, `SIM_RUNS` asks for more of them. */
export function seeds(runs: number): number[] {
  const asked = process.env["SIM_SEED"];
  if (asked !== undefined) return [Number(asked)];
  const count = Number(process.env["SIM_RUNS"] ?? runs);
  const first = Date.now() % 1_000_000_000;
  return Array.from({ length: count }, (_, index) => first + index * 7_919);
}

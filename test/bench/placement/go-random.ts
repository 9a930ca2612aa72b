/**
 * The generator of Go's math/rand (additive lagged Fibonacci, 607 and 273), because the openb
 * experiment draws its arrivals with it. Its table of start values is data of the trace folder.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";

const length = 607;
const tap = 273;
const mask64 = (1n << 64n) - 1n;
const mask63 = (1n << 63n) - 1n;
const int32Max = 2_147_483_647;

/** The table: 607 signed 64-bit numbers, written as strings. */
export function readCooked(path: string): readonly bigint[] {
  return z
    .array(z.string())
    .length(length)
    .parse(JSON.parse(readFileSync(path, "utf8")))
    .map((text) => BigInt(text) & mask64);
}

export class GoRandom {
  readonly #state = new BigUint64Array(length);
  #tap = 0;
  #feed = length - tap;

  constructor(seed: number, cooked: readonly bigint[]) {
    let x = seed % int32Max;
    if (x < 0) x += int32Max;
    if (x === 0) x = 89_482_311;
    for (let i = 0; i < 20; i += 1) x = lehmer(x);
    for (let i = 0; i < length; i += 1) {
      x = lehmer(x);
      let value = BigInt(x) << 40n;
      x = lehmer(x);
      value ^= BigInt(x) << 20n;
      x = lehmer(x);
      value ^= BigInt(x);
      this.#state[i] = (value ^ (cooked[i] ?? 0n)) & mask64;
    }
  }

  /** 63 random bits. */
  next(): bigint {
    this.#tap = (this.#tap + length - 1) % length;
    this.#feed = (this.#feed + length - 1) % length;
    const sum = ((this.#state[this.#feed] ?? 0n) + (this.#state[this.#tap] ?? 0n)) & mask64;
    this.#state[this.#feed] = sum;
    return sum & mask63;
  }

  /** Go's `Intn`: below `n` by rejection. */
  below(n: number): number {
    const draw = (): number => Number(this.next() >> 32n);
    if ((n & (n - 1)) === 0) return draw() & (n - 1);
    const last = int32Max - ((int32Max + 1) % n);
    let value = draw();
    while (value > last) value = draw();
    return value % n;
  }

  /** Go's `Shuffle`, which draws by multiplication instead. */
  shuffled<T>(list: readonly T[]): T[] {
    const order = list.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i -= 1) swap(order, i, this.#scaled(i + 1));
    return order.flatMap((i) => list[i] ?? []);
  }

  /** Go's `Perm`. */
  permutation(n: number): number[] {
    const order: number[] = [];
    for (let i = 0; i < n; i += 1) {
      const j = this.below(i + 1);
      order[i] = order[j] ?? i;
      order[j] = i;
    }
    return order;
  }

  #scaled(n: number): number {
    const draw = (): bigint => ((this.next() >> 31n) & 0xffff_ffffn) * BigInt(n);
    const bound = BigInt((2 ** 32 - n) % n);
    let product = draw();
    while ((product & 0xffff_ffffn) < bound) product = draw();
    return Number(product >> 32n);
  }
}

function lehmer(x: number): number {
  const next = 48_271 * (x % 44_488) - 3_399 * Math.floor(x / 44_488);
  return next < 0 ? next + int32Max : next;
}

function swap(order: number[], i: number, j: number): void {
  const kept = order[i] ?? 0;
  order[i] = order[j] ?? 0;
  order[j] = kept;
}

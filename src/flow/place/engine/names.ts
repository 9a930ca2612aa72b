/**
 * GPU models as numbers, and sets of them as bits of one integer for a quick look. There may be any
 * number of models: those after the thirtieth share the last bit, so equal bits are a hint and equal
 * numbers the truth.
 */

/** The sign bit is left alone. */
const bitsMax = 31;

export class Names {
  readonly #numbers = new Map<string, number>();

  get count(): number {
    return this.#numbers.size;
  }

  /** The number of a name that a host carries; a new one gets its number here. */
  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(name, number);
    }
    return number;
  }

  /** Those of them that some host carries. */
  known(names: readonly string[]): { readonly bits: number; readonly numbers: readonly number[] } {
    const numbers = names.flatMap((name) => this.#numbers.get(name) ?? []);
    return { bits: numbers.reduce((bits, number) => bits | bitOf(number), 0), numbers };
  }
}

export function bitOf(number: number): number {
  return 1 << Math.min(number, bitsMax - 1);
}

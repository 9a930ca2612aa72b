/** Names as bits of one integer, so that a set of them is compared in one operation. */

/** The sign bit is left alone. */
const namesMax = 31;

export class Names {
  readonly #what: string;
  readonly #bits = new Map<string, number>();

  constructor(what: string) {
    this.#what = what;
  }

  get count(): number {
    return this.#bits.size;
  }

  /** The bits of names that hosts carry; new ones get their bit here. */
  bits(names: readonly string[]): number {
    let bits = 0;
    for (const name of names) {
      let bit = this.#bits.get(name);
      if (bit === undefined) {
        if (this.#bits.size === namesMax) {
          throw new RangeError(`there are at most ${namesMax} ${this.#what}`);
        }
        bit = 1 << this.#bits.size;
        this.#bits.set(name, bit);
      }
      bits |= bit;
    }
    return bits;
  }

  /** The bits of those that some host carries; a request names what it likes and uses up no bit. */
  known(names: readonly string[]): { readonly bits: number; readonly unknown: readonly string[] } {
    let bits = 0;
    const unknown: string[] = [];
    for (const name of names) {
      const bit = this.#bits.get(name);
      if (bit === undefined) unknown.push(name);
      else bits |= bit;
    }
    return { bits, unknown };
  }
}

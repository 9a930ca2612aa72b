/**
 * What hosts offer and whom they repel: labels and taints, any number of them. Hosts that are alike in
 * this share one set, and a kind asks each set once, so that a host costs one look-up however many
 * labels there are.
 */

/** What a kind wants of it. */
export interface Wants {
  readonly requires: readonly string[];
  readonly tolerates: readonly string[];
}

export type Verdict = "ok" | "labels do not match" | "taint is not tolerated";

interface TraitSet {
  readonly key: string;
  readonly number: number;
  readonly offers: ReadonlySet<string>;
  readonly repels: readonly string[];
  hosts: number;
}

export class Traits {
  readonly #sets = new Map<string, TraitSet>();
  readonly #byNumber: (TraitSet | undefined)[] = [];
  readonly #spare: number[] = [];
  /** Counts the numbers that were given to another set: verdicts from before are of no use. */
  reused = 0;

  /** The number of this set, for one host more. */
  take(offers: readonly string[], repels: readonly string[]): number {
    const [labels, taints] = [new Set(offers), new Set(repels)];
    const key = JSON.stringify([[...labels].toSorted(), [...taints].toSorted()]);
    let set = this.#sets.get(key);
    if (set === undefined) {
      const spare = this.#spare.pop();
      if (spare !== undefined) this.reused += 1;
      const number = spare ?? this.#byNumber.length;
      set = { key, number, offers: labels, repels: [...taints], hosts: 0 };
      this.#sets.set(key, set);
      this.#byNumber[number] = set;
    }
    set.hosts += 1;
    return set.number;
  }

  /** Is it this set? Quick, for hosts that are looked at again and again and seldom change. */
  is(number: number, offers: readonly string[], repels: readonly string[]): boolean {
    const set = this.#byNumber[number];
    if (set === undefined || set.offers.size !== offers.length) return false;
    if (set.repels.length !== repels.length) return false;
    return (
      offers.every((label) => set.offers.has(label)) &&
      repels.every((taint) => set.repels.includes(taint))
    );
  }

  /** One host fewer has it. */
  drop(number: number): void {
    const set = this.#byNumber[number];
    if (set === undefined) return;
    set.hosts -= 1;
    if (set.hosts > 0) return;
    this.#byNumber[number] = undefined;
    this.#spare.push(number);
    this.#sets.delete(set.key);
  }

  judge(number: number, { requires, tolerates }: Wants): Verdict {
    const set = this.#byNumber[number];
    if (set === undefined) return "ok";
    if (!requires.every((label) => set.offers.has(label))) return "labels do not match";
    return set.repels.every((taint) => tolerates.includes(taint)) ? "ok" : "taint is not tolerated";
  }
}

/** The verdicts of one kind, each asked for once. */
export class Verdicts {
  readonly #wants: Wants;
  #known: (Verdict | undefined)[] = [];
  #reused = 0;

  constructor(wants: Wants) {
    this.#wants = wants;
  }

  on(traits: Traits, number: number): Verdict {
    if (traits.reused !== this.#reused) {
      this.#known = [];
      this.#reused = traits.reused;
    }
    let verdict = this.#known[number];
    if (verdict === undefined) {
      verdict = traits.judge(number, this.#wants);
      this.#known[number] = verdict;
    }
    return verdict;
  }
}

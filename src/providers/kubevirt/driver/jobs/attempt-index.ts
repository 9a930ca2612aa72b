/** What belongs to which attempt, both ways. */
export class AttemptIndex {
  readonly #of = new Map<string, Set<string>>();
  readonly #key = new Map<string, string>();

  put(member: string, key: string | undefined): void {
    const before = this.#key.get(member);
    if (before !== undefined && before !== key) {
      const others = this.#of.get(before);
      others?.delete(member);
      if (others?.size === 0) this.#of.delete(before);
      this.#key.delete(member);
    }
    if (key === undefined) return;
    this.#key.set(member, key);
    this.#of.set(key, (this.#of.get(key) ?? new Set()).add(member));
  }

  keyOf(member: string): string | undefined {
    return this.#key.get(member);
  }

  of(key: string): readonly string[] {
    return [...(this.#of.get(key) ?? [])];
  }

  keys(): Iterable<string> {
    return this.#of.keys();
  }
}

/**
 * Which slots changed, in order: whoever keeps something per slot remembers how far he has read and
 * catches up with what came after. The log is a ring, so a reader that is too far behind looks at
 * everything again, which by then costs no more.
 */
const sizeMax = 8192;
const mask = sizeMax - 1;

export class ChangeLog {
  /** Of all changes ever. */
  count = 0;
  readonly #ring = new Int32Array(sizeMax);

  add(slot: number): void {
    this.#ring[this.count & mask] = slot;
    this.count += 1;
  }

  /** False when some of the changes since `read` are not in the ring any more. */
  reaches(read: number): boolean {
    return this.count - read <= sizeMax;
  }

  /** The slot of change number `number`, from 0 on. */
  at(number: number): number {
    return this.#ring[number & mask] ?? 0;
  }
}

/**
 * The best score over all hosts, kept like the board of a knock-out tournament: a changed score costs
 * one path to the root, mostly cut short, and the best is read off the root. Equal scores go to the
 * lower slot.
 */

/** The score of a host that cannot take it; below every score. */
export const unfit = -2_147_483_648;

export class Tournament {
  #leaves = 0;
  #board = new Int32Array(0);

  /** Starts anew with the score of each slot. */
  fill(slots: number, score: (slot: number) => number): void {
    let leaves = 1;
    while (leaves < slots) leaves *= 2;
    if (leaves !== this.#leaves) {
      this.#leaves = leaves;
      this.#board = new Int32Array(2 * leaves);
    }
    const board = this.#board;
    board.fill(unfit, leaves);
    for (let slot = 0; slot < slots; slot += 1) board[leaves + slot] = score(slot);
    for (let at = leaves - 1; at > 0; at -= 1) board[at] = this.#winner(at);
  }

  get room(): number {
    return this.#leaves;
  }

  /** Nothing for a slot that is not on the board. */
  set(slot: number, score: number): void {
    if (slot >= this.#leaves) return;
    const board = this.#board;
    let at = this.#leaves + slot;
    if (board[at] === score) return;
    board[at] = score;
    for (at >>= 1; at > 0; at >>= 1) {
      const winner = this.#winner(at);
      if (board[at] === winner) return;
      board[at] = winner;
    }
  }

  at(slot: number): number {
    return slot < this.#leaves ? (this.#board[this.#leaves + slot] ?? unfit) : unfit;
  }

  /** The first slot with the best score, or -1 where nobody is fit. */
  first(): number {
    const board = this.#board;
    const best = board[1] ?? unfit;
    if (best === unfit) return -1;
    let at = 1;
    while (at < this.#leaves) {
      at *= 2;
      if (board[at] !== best) at += 1;
    }
    return at - this.#leaves;
  }

  #winner(at: number): number {
    const left = this.#board[2 * at] ?? unfit;
    const right = this.#board[2 * at + 1] ?? unfit;
    return left >= right ? left : right;
  }
}

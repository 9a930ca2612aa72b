/**
 * The growing tree: leaf hashes go in at the right, tiles and a root come out. It keeps only the
 * right edge (the partial tiles, and one hash for each power of two in the size), so that it can be
 * taken up again from the partial tiles of any size, and adding costs one node a leaf on average.
 */
import { assert, present } from "#kernel/assert.ts";

import { hashLength, type TreeHasher } from "./hash.ts";
import { isCount, largestPowerBelow } from "./spans.ts";
import { edgeTiles, hashOfFull, tileHeight, tileWidth, type Tile, type TileName } from "./tile.ts";

const heightsMax = 54;
const tileBytes = tileWidth * hashLength;

export class Tree {
  readonly #hasher: TreeHasher;
  #size = 0;
  /** At `height`, the hash over that part of the leaves, where the size has that power of two. */
  readonly #edge = new Uint8Array(heightsMax * hashLength);
  /** Two hashes side by side, to make a node of. */
  readonly #pair = new Uint8Array(2 * hashLength);
  /** The open tile of each level; `filled` is how much of it is written. */
  readonly #open: { bytes: Uint8Array; filled: number }[] = [];
  #full: Tile[] = [];
  readonly #changed = new Set<number>();

  constructor(hasher: TreeHasher) {
    this.#hasher = hasher;
  }

  /** The tree of `size` leaves whose partial tiles are `tiles`: those that `edgeTiles` names. */
  static resume(
    hasher: TreeHasher,
    size: number,
    tiles: (name: TileName) => Uint8Array | undefined,
  ): Tree {
    assert(isCount(size), "a tree's size is a count");
    const tree = new Tree(hasher);
    tree.#size = size;
    for (const name of edgeTiles(size)) {
      const stored = present(tiles(name), `tile ${name.level}/${name.index} of the log`);
      assert(stored.length >= name.width * hashLength, "a stored tile is as wide as its tree");
      const hashes = stored.subarray(0, name.width * hashLength);
      const open = tree.#openTile(name.level);
      open.bytes.set(hashes);
      open.filled = hashes.length;
      tree.#takeEdge(name, hashes);
    }
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf and returns its index. */
  append(leafHash: Uint8Array, at = 0): number {
    const index = this.#size;
    const pair = this.#pair;
    const edge = this.#edge;
    for (let byte = 0; byte < hashLength; byte += 1) {
      pair[hashLength + byte] = leafHash[at + byte] ?? 0;
    }
    let height = 0;
    this.#publish(0);
    for (let rest = index; rest % 2 === 1; rest = (rest - 1) / 2) {
      const from = height * hashLength;
      for (let byte = 0; byte < hashLength; byte += 1) pair[byte] = edge[from + byte] ?? 0;
      this.#hasher.nodeInto(pair, 0, pair, hashLength);
      height += 1;
      if (height % tileHeight === 0) this.#publish(height / tileHeight);
    }
    const to = height * hashLength;
    for (let byte = 0; byte < hashLength; byte += 1) edge[to + byte] = pair[hashLength + byte] ?? 0;
    this.#size = index + 1;
    return index;
  }

  root(): Uint8Array {
    let hash: Uint8Array | undefined;
    let height = 0;
    for (let rest = this.#size; rest > 0; rest = Math.floor(rest / 2), height += 1) {
      if (rest % 2 === 0) continue;
      const part = this.#edge.slice(height * hashLength, (height + 1) * hashLength);
      hash = hash === undefined ? part : this.#hasher.node(part, hash);
    }
    return hash ?? this.#hasher.empty();
  }

  /** Tiles that were begun, grew or were filled since the last call, by level and index. */
  takeChangedTiles(): Tile[] {
    const partial = [...this.#changed].map((level) => {
      const { bytes, filled } = this.#openTile(level);
      const index = Math.floor(Math.floor(this.#size / tileWidth ** level) / tileWidth);
      return { level, index, width: filled / hashLength, hashes: bytes.slice(0, filled) };
    });
    const tiles = [...this.#full, ...partial];
    this.#full = [];
    this.#changed.clear();
    return tiles.toSorted((a, b) => a.level - b.level || a.index - b.index);
  }

  /** The second hash of the pair is the next of a level's tiles. */
  #publish(level: number): void {
    const open = this.#openTile(level);
    const { bytes, filled } = open;
    for (let byte = 0; byte < hashLength; byte += 1) {
      bytes[filled + byte] = this.#pair[hashLength + byte] ?? 0;
    }
    open.filled = filled + hashLength;
    this.#changed.add(level);
    if (open.filled < tileBytes) return;
    // The leaf that fills it is not counted yet: of its level, this many came before.
    const before = Math.floor(this.#size / tileWidth ** level);
    const index = Math.floor(before / tileWidth);
    this.#full.push({ level, index, width: tileWidth, hashes: bytes });
    this.#open[level] = { bytes: new Uint8Array(tileBytes), filled: 0 };
    this.#changed.delete(level);
  }

  #openTile(level: number): { bytes: Uint8Array; filled: number } {
    while (this.#open.length <= level) {
      this.#open.push({ bytes: new Uint8Array(tileBytes), filled: 0 });
    }
    return present(this.#open[level], "a level's tile");
  }

  /** A partial tile's powers of two, largest first, are the edge at its heights. */
  #takeEdge({ level, width }: TileName, hashes: Uint8Array): void {
    let from = 0;
    for (let rest = width; rest > 0;) {
      const count = largestPowerBelow(rest + 1);
      const part = hashes.subarray(from * hashLength, (from + count) * hashLength);
      const height = level * tileHeight + Math.log2(count);
      this.#edge.set(hashOfFull(this.#hasher, part), height * hashLength);
      from += count;
      rest -= count;
    }
  }
}

/** Proofs out of the stored tiles: that a leaf is in a tree, that a tree goes on from another. */
import type { Queryable } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import { nodeHasher } from "#tlog/node-crypto.ts";
import { consistencySpans, inclusionSpans, type Span } from "#tlog/spans.ts";
import { hashOfSpan, tilesOfSpans } from "#tlog/tile.ts";

import { storedTiles } from "./log-store.ts";

const hasher = nodeHasher();

/** From the leaf up. The tree is no larger than the log. */
export function inclusionHashes(
  db: Queryable,
  leaf: { readonly index: number; readonly size: number },
): Promise<Uint8Array[]> {
  return hashesOf(db, inclusionSpans(leaf.index, leaf.size), leaf.size);
}

/** The newer tree is no larger than the log. */
export function consistencyHashes(
  db: Queryable,
  trees: { readonly older: number; readonly newer: number },
): Promise<Uint8Array[]> {
  return hashesOf(db, consistencySpans(trees.older, trees.newer), trees.newer);
}

/** In the order of the spans. */
export async function hashesOf(
  db: Queryable,
  spans: readonly Span[],
  size: number,
): Promise<Uint8Array[]> {
  const tiles = await storedTiles(db, tilesOfSpans(spans, size));
  return spans.map((span) => present(hashOfSpan(hasher, tiles, span), "the tiles of the log"));
}

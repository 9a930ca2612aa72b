/**
 * Proofs that a leaf is in a tree, and that one tree is the beginning of another (RFC 6962 2.1.1
 * and 2.1.2), checked. A proof of any other length than the tree demands is refused, and so is a
 * hash of any other length than 32 bytes; an older tree without leaves proves nothing, so it is
 * refused too.
 */
import { present } from "#kernel/assert.ts";

import { hashLength, sameBytes, type TreeHasher } from "./hash.ts";
import { isCount, splitOf } from "./spans.ts";

export type ProofCheck =
  | "proved"
  /** The sizes or the index cannot be. */
  | "wrong_size"
  /** Too few or too many hashes, or one that is none. */
  | "wrong_length"
  /** The hashes lead to another root. */
  | "wrong_root";

export interface InclusionProof {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  /** From the leaf up. */
  readonly proof: readonly Uint8Array[];
}

type Side = "left" | "right";

export function checkInclusion(
  hasher: TreeHasher,
  { index, size, leafHash, root, proof }: InclusionProof,
): ProofCheck {
  if (!isCount(index) || !isCount(size) || index >= size) return "wrong_size";
  if (leafHash.length !== hashLength) return "wrong_length";
  const sides: Side[] = [];
  let [from, until] = [0, size];
  while (until - from > 1) {
    const middle = splitOf({ from, until });
    sides.push(index < middle ? "right" : "left");
    if (index < middle) until = middle;
    else from = middle;
  }
  if (!isProofOf(sides.length, proof)) return "wrong_length";
  let hash = leafHash;
  for (const [step, side] of sides.toReversed().entries()) {
    const sibling = present(proof[step], "a hash of the proof");
    hash = side === "left" ? hasher.node(sibling, hash) : hasher.node(hash, sibling);
  }
  return sameBytes(hash, root) ? "proved" : "wrong_root";
}

export interface ConsistencyProof {
  readonly older: { readonly size: number; readonly root: Uint8Array };
  readonly newer: { readonly size: number; readonly root: Uint8Array };
  readonly proof: readonly Uint8Array[];
}

export function checkConsistency(
  hasher: TreeHasher,
  { older, newer, proof }: ConsistencyProof,
): ProofCheck {
  if (!isCount(older.size) || !isCount(newer.size)) return "wrong_size";
  if (older.size === 0 || older.size > newer.size) return "wrong_size";
  const sides: Side[] = [];
  let [from, until] = [0, newer.size];
  while (until !== older.size) {
    const middle = splitOf({ from, until });
    sides.push(older.size <= middle ? "right" : "left");
    if (older.size <= middle) until = middle;
    else from = middle;
  }
  // Where the older tree is a node of the newer one, the proof begins with its root, unsaid.
  const unsaid = from === 0 ? [older.root] : [];
  const [start, ...siblings] = [...unsaid, ...proof];
  if (start === undefined || !isProofOf(sides.length, siblings)) return "wrong_length";
  if (from > 0 && start.length !== hashLength) return "wrong_length";
  let [oldHash, newHash] = [start, start];
  for (const [step, side] of sides.toReversed().entries()) {
    const sibling = present(siblings[step], "a hash of the proof");
    if (side === "left") oldHash = hasher.node(sibling, oldHash);
    newHash = side === "left" ? hasher.node(sibling, newHash) : hasher.node(newHash, sibling);
  }
  const same = sameBytes(oldHash, older.root) && sameBytes(newHash, newer.root);
  return same ? "proved" : "wrong_root";
}

function isProofOf(length: number, proof: readonly Uint8Array[]): boolean {
  return proof.length === length && proof.every((hash) => hash.length === hashLength);
}

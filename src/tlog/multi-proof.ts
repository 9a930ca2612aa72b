/**
 * One proof for many leaves of a tree: the hashes of the largest spans that hold none of them, left
 * to right. Walking the tree as RFC 6962 divides it, a verifier needs exactly these beside the
 * leaves, each once; so leaves that lie side by side share nearly everything.
 *
 * Hashes lie packed, 32 bytes each, in one array.
 */
import { assert } from "#kernel/assert.ts";

import { hashLength, sameBytes, type TreeHasher } from "./hash.ts";
import type { ProofCheck } from "./proof.ts";
import { isCount, splitOf, type Span } from "./spans.ts";

/** Twice the height of the largest tree there can be: a slot for each open left part. */
const slotsMax = 128;

/** The spans whose hashes prove the leaves; `indexes` ascend. */
export function multiProofSpans(indexes: readonly number[], size: number): Span[] {
  assert(ascend(indexes, size), "leaves that are proved ascend and are in the tree");
  const spans: Span[] = [];
  const walk = (span: Span, low: number, high: number): void => {
    if (low === high) {
      spans.push(span);
      return;
    }
    if (span.until - span.from === 1) return;
    const middle = splitOf(span);
    const cut = firstFrom(indexes, middle, low, high);
    walk({ from: span.from, until: middle }, low, cut);
    walk({ from: middle, until: span.until }, cut, high);
  };
  if (size > 0) walk({ from: 0, until: size }, 0, indexes.length);
  return spans;
}

export interface MultiProof {
  readonly size: number;
  readonly root: Uint8Array;
  /** Of the leaves, ascending. */
  readonly indexes: readonly number[];
  /** In the same order. */
  readonly leafHashes: Uint8Array;
  /** Of `multiProofSpans`, in their order. */
  readonly proof: Uint8Array;
}

export function checkMultiProof(hasher: TreeHasher, of: MultiProof): ProofCheck {
  const { size, root, indexes, leafHashes, proof } = of;
  if (!isCount(size) || size === 0 || !ascend(indexes, size)) return "wrong_size";
  if (leafHashes.length !== indexes.length * hashLength) return "wrong_length";
  const hash = rootOf(hasher, of);
  if (hash === undefined || hash.used !== proof.length) return "wrong_length";
  return sameBytes(hash.root, root) ? "proved" : "wrong_root";
}

/** `undefined` where the proof ends before the walk does. */
function rootOf(
  hasher: TreeHasher,
  { size, indexes, leafHashes, proof }: MultiProof,
): { readonly root: Uint8Array; readonly used: number } | undefined {
  const slots = new Uint8Array(slotsMax * hashLength);
  let used = 0;
  const take = (source: Uint8Array, from: number, slot: number): void => {
    for (let byte = 0; byte < hashLength; byte += 1) {
      slots[slot * hashLength + byte] = source[from + byte] ?? 0;
    }
  };
  /** Leaves the hash of [from, until) in `slot`; its right part is worked out in the next one. */
  const walk = (from: number, until: number, low: number, high: number, slot: number): boolean => {
    if (low === high) {
      if (used + hashLength > proof.length) return false;
      take(proof, used, slot);
      used += hashLength;
      return true;
    }
    if (until - from === 1) {
      take(leafHashes, low * hashLength, slot);
      return true;
    }
    const middle = splitOf({ from, until });
    const cut = firstFrom(indexes, middle, low, high);
    if (!walk(from, middle, low, cut, slot)) return false;
    if (!walk(middle, until, cut, high, slot + 1)) return false;
    hasher.nodeInto(slots, slot * hashLength, slots, slot * hashLength);
    return true;
  };
  return walk(0, size, 0, indexes.length, 0)
    ? { root: slots.slice(0, hashLength), used }
    : undefined;
}

function ascend(indexes: readonly number[], size: number): boolean {
  let before = -1;
  for (const index of indexes) {
    if (!isCount(index) || index <= before || index >= size) return false;
    before = index;
  }
  return true;
}

/** The first position in [low, high) whose index is not below `bound`; `high` if none is. */
function firstFrom(indexes: readonly number[], bound: number, low: number, high: number): number {
  let [from, until] = [low, high];
  while (from < until) {
    const middle = (from + until) >>> 1;
    if ((indexes[middle] ?? 0) < bound) from = middle + 1;
    else until = middle;
  }
  return from;
}

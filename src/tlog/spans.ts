/**
 * How RFC 6962 divides a tree: a span of leaves [from, until) is split at the largest power of two
 * below its length. Every proof is a walk over such spans; a span whose length is a power of two is
 * one node of the tree.
 */
import { assert } from "#kernel/assert.ts";

/** Half-open, in leaf indexes. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** The node over the leaves [index * 2^height, (index + 1) * 2^height). */
export interface TreeNode {
  readonly height: number;
  readonly index: number;
}

/** The first leaf of the right part of a span of at least two leaves. */
export function splitOf({ from, until }: Span): number {
  return from + largestPowerBelow(until - from);
}

export function largestPowerBelow(length: number): number {
  if (length <= 0x40_00_00_00) return 1 << (31 - Math.clz32(length - 1));
  let power = 0x40_00_00_00;
  while (power * 2 < length) power *= 2;
  return power;
}

/** The nodes that a span consists of, left to right; folded from the right they are its hash. */
export function nodesOf(span: Span): TreeNode[] {
  const nodes: TreeNode[] = [];
  let { from } = span;
  while (from < span.until) {
    const rest = span.until - from;
    const length = isPowerOfTwo(rest) ? rest : largestPowerBelow(rest);
    assert(from % length === 0, "a span of the tree begins at a multiple of its parts");
    nodes.push({ height: heightOf(length), index: from / length });
    from += length;
  }
  return nodes;
}

/** RFC 6962 2.1.1, PATH: the hashes that prove a leaf, from the leaf up. */
export function inclusionSpans(index: number, size: number): Span[] {
  assert(isCount(index) && isCount(size) && index < size, "a leaf that is proved is in the tree");
  const spans: Span[] = [];
  let [from, until] = [0, size];
  while (until - from > 1) {
    const middle = splitOf({ from, until });
    if (index < middle) {
      spans.push({ from: middle, until });
      until = middle;
    } else {
      spans.push({ from, until: middle });
      from = middle;
    }
  }
  return spans.toReversed();
}

/** RFC 6962 2.1.2, PROOF: that a tree of `older` leaves is the beginning of one of `newer`. */
export function consistencySpans(older: number, newer: number): Span[] {
  assert(isCount(older) && isCount(newer), "a tree's size is a count");
  assert(older > 0 && older <= newer, "the older tree has leaves, and no more than the newer");
  const spans: Span[] = [];
  let [from, until] = [0, newer];
  while (until !== older) {
    const middle = splitOf({ from, until });
    if (older <= middle) {
      spans.push({ from: middle, until });
      until = middle;
    } else {
      spans.push({ from, until: middle });
      from = middle;
    }
  }
  // What the older tree ends with; if it is all of it, its root is known.
  if (from > 0) spans.push({ from, until });
  return spans.toReversed();
}

/** Safe integers only: beyond them two sizes could not be told apart. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(length: number): boolean {
  return length === 1 || largestPowerBelow(length) * 2 === length;
}

function heightOf(power: number): number {
  return Math.round(Math.log2(power));
}

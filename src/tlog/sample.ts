/** For tests: trees worked out as RFC 6962 defines them, from all leaves; slow and plain. */
import { createHash } from "node:crypto";

import { splitOf } from "./spans.ts";

export function hashed(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function plainLeaf(data: string): Uint8Array {
  return hashed(Uint8Array.of(0), Buffer.from(data));
}

export function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return hashed();
  if (leaves.length === 1) return only;
  const middle = splitOf({ from: 0, until: leaves.length });
  return hashed(
    Uint8Array.of(1),
    plainRoot(leaves.slice(0, middle)),
    plainRoot(leaves.slice(middle)),
  );
}

export function sampleLeaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => plainLeaf(`leaf ${index}`));
}

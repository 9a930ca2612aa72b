/**
 * Proofs against the vectors of transparency-dev/merkle (good and hostile) where they lie beside
 * the checkout, and against trees worked out the plain way everywhere.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { nodeHasher } from "./node-crypto.ts";
import { checkConsistency, checkInclusion } from "./proof.ts";
import { plainRoot, sampleLeaves } from "./sample.ts";
import { consistencySpans, inclusionSpans, type Span } from "./spans.ts";

const vectors = fileURLToPath(new URL("../../../shared/tlog/rfc6962", import.meta.url));
const hasher = nodeHasher();
const leaves = sampleLeaves(66);
const hash = z.string().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const proof = z.array(hash).nullable();

function rootOf({ from, until }: Span): Uint8Array {
  return plainRoot(leaves.slice(from, until));
}

function vectorsIn(folder: string): string[] {
  return globSync(`${vectors}/${folder}/**/*.json`).toSorted();
}

describe.skipIf(!existsSync(vectors))("R-LOG-1: the vectors of RFC 6962 proofs", () => {
  test("98 of inclusion", () => {
    const files = vectorsIn("inclusion");
    expect(files).toHaveLength(98);
    const schema = z.object({
      leafIdx: z.number(),
      treeSize: z.number(),
      root: hash,
      leafHash: hash,
      proof,
      wantErr: z.boolean(),
    });
    for (const file of files) {
      const vector = schema.parse(JSON.parse(readFileSync(file, "utf8")));
      const checked = checkInclusion(hasher, {
        index: vector.leafIdx,
        size: vector.treeSize,
        leafHash: vector.leafHash,
        root: vector.root,
        proof: vector.proof ?? [],
      });
      expect(checked === "proved", `${file}: ${checked}`).toBe(!vector.wantErr);
    }
  });

  test("98 of consistency; an older tree without leaves is refused", () => {
    const files = vectorsIn("consistency");
    expect(files).toHaveLength(98);
    const schema = z.object({
      size1: z.number(),
      size2: z.number(),
      root1: hash,
      root2: hash,
      proof,
      wantErr: z.boolean(),
    });
    for (const file of files) {
      const vector = schema.parse(JSON.parse(readFileSync(file, "utf8")));
      const checked = checkConsistency(hasher, {
        older: { size: vector.size1, root: vector.root1 },
        newer: { size: vector.size2, root: vector.root2 },
        proof: vector.proof ?? [],
      });
      expect(checked === "proved", `${file}: ${checked}`).toBe(!vector.wantErr);
    }
  });
});

test.skipIf(existsSync(vectors))("the vectors are not beside this checkout: skipped", () => {
  expect(existsSync(vectors)).toBe(false);
});

test("every leaf of every tree is proved, and no other leaf or root by that proof", () => {
  for (let size = 1; size <= leaves.length; size += 1) {
    const root = rootOf({ from: 0, until: size });
    for (let index = 0; index < size; index += 1) {
      const path = inclusionSpans(index, size).map((span) => rootOf(span));
      const leafHash = rootOf({ from: index, until: index + 1 });
      const of = { index, size, leafHash, root, proof: path };
      expect(checkInclusion(hasher, of)).toBe("proved");
      expect(checkInclusion(hasher, { ...of, leafHash: root })).toBe(
        size === 1 ? "proved" : "wrong_root",
      );
      expect(checkInclusion(hasher, { ...of, proof: [...path, root] })).toBe("wrong_length");
      expect(checkInclusion(hasher, { ...of, index: size })).toBe("wrong_size");
    }
  }
});

test("every tree is proved to be the beginning of every later one", () => {
  for (let newer = 1; newer <= leaves.length; newer += 1) {
    const root = rootOf({ from: 0, until: newer });
    for (let older = 1; older <= newer; older += 1) {
      const of = {
        older: { size: older, root: rootOf({ from: 0, until: older }) },
        newer: { size: newer, root },
        proof: consistencySpans(older, newer).map((span) => rootOf(span)),
      };
      expect(checkConsistency(hasher, of)).toBe("proved");
      const other = { size: older, root: rootOf({ from: 1, until: older + 1 }) };
      expect(checkConsistency(hasher, { ...of, older: other })).toBe("wrong_root");
      expect(checkConsistency(hasher, { ...of, proof: [...of.proof, root] })).toBe("wrong_length");
    }
    const none = { size: 0, root: rootOf({ from: 0, until: 0 }) };
    const claim = { older: none, newer: { size: newer, root }, proof: [] };
    expect(checkConsistency(hasher, claim)).toBe("wrong_size");
  }
});

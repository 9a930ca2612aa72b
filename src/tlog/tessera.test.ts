/** A log that another program wrote: its checkpoints, its tiles and its leaves, read by ours. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { present } from "#kernel/assert.ts";

import { openCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { parseKey } from "./keys.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "./node-crypto.ts";
import { checkConsistency, checkInclusion } from "./proof.ts";
import { consistencySpans, inclusionSpans, type Span } from "./spans.ts";
import { hashOfSpan, tilePath } from "./tile.ts";
import { Tree } from "./tree.ts";

const folder = fileURLToPath(new URL("../../../shared/tlog/tessera_log", import.meta.url));
const sizes = Array.from({ length: 15 }, (_, index) => index + 1);
const hasher = nodeHasher();
const logKey = present(
  // The public key of that project's test log.
  parseKey(
    nodeSha256,
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
  ),
  "the key",
);

/** Its leaves, as its entry bundle has them: each after its length. */
function leaves(): Uint8Array[] {
  const bundle = readFileSync(`${folder}/tile/entries/000.p/15`);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bundle.length;) {
    const length = bundle.readUInt16BE(at);
    found.push(new Uint8Array(bundle.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return found;
}

function checkpointOf(name: string): Checkpoint {
  const text = readFileSync(`${folder}/${name}`, "utf8");
  const opened = openCheckpoint(text, { verify: nodeVerify, logKey });
  if (opened.kind !== "signed") throw new Error(`${name}: ${opened.kind}`);
  return opened.checkpoint;
}

function spanHash(size: number, span: Span): Uint8Array {
  const tile = readFileSync(`${folder}/${tilePath({ level: 0, index: 0, width: size })}`);
  return present(
    hashOfSpan(hasher, () => new Uint8Array(tile), span),
    "the hash of a span",
  );
}

test.skipIf(existsSync(folder))("the log of tessera is not beside this checkout: skipped", () => {
  expect(existsSync(folder)).toBe(false);
});

describe.skipIf(!existsSync(folder))("R-LOG-1: the log of tessera", () => {
  test("all 16 checkpoints are signed, and their roots are those of the leaves and of the tiles", () => {
    const tree = new Tree(hasher);
    expect(checkpointOf("checkpoint.0")).toMatchObject({ size: 0, root: tree.root() });
    for (const [index, leaf] of leaves().entries()) {
      tree.append(hasher.leaf(leaf));
      const size = index + 1;
      const { size: signedSize, root } = checkpointOf(`checkpoint.${size}`);
      expect(signedSize).toBe(size);
      expect(tree.root()).toEqual(root);
      expect(spanHash(size, { from: 0, until: size })).toEqual(root);
      const [tile] = tree.takeChangedTiles();
      const path = tilePath(present(tile, "a tile"));
      expect(tile?.hashes).toEqual(new Uint8Array(readFileSync(`${folder}/${path}`)));
    }
    expect(tree.size).toBe(15);
    expect(checkpointOf("checkpoint")).toEqual(checkpointOf("checkpoint.15"));
  });

  test("every leaf is included and every checkpoint consistent with every later one", () => {
    const leafHashes = leaves().map((leaf) => hasher.leaf(leaf));
    for (const size of sizes) {
      const { root } = checkpointOf(`checkpoint.${size}`);
      for (const [index, leafHash] of leafHashes.slice(0, size).entries()) {
        const proof = inclusionSpans(index, size).map((span) => spanHash(size, span));
        expect(checkInclusion(hasher, { index, size, leafHash, root, proof })).toBe("proved");
      }
      for (const older of sizes.slice(0, size)) {
        const proof = consistencySpans(older, size).map((span) => spanHash(size, span));
        const before = checkpointOf(`checkpoint.${older}`);
        expect(checkConsistency(hasher, { older: before, newer: { size, root }, proof })).toBe(
          "proved",
        );
      }
    }
  });
});

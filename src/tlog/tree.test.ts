/** The growing tree against the plain definition: roots, tiles, proofs from tiles, taking it up again. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";

import { hashLength } from "./hash.ts";
import { checkMultiProof, multiProofSpans } from "./multi-proof.ts";
import { nodeHasher } from "./node-crypto.ts";
import { checkConsistency, checkInclusion } from "./proof.ts";
import { plainRoot, sampleLeaves } from "./sample.ts";
import { consistencySpans, inclusionSpans, type Span } from "./spans.ts";
import {
  edgeTiles,
  hashOfSpan,
  parseTilePath,
  tilePath,
  tilesOfSpans,
  widthOf,
  type TileSource,
} from "./tile.ts";
import { Tree } from "./tree.ts";

const hasher = nodeHasher();
const leaves = sampleLeaves(1200);

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(hashes));
}

/** The tiles as a log keeps them: one of each place, the widest. */
function logOf(size: number): { readonly tree: Tree; readonly tiles: Map<string, Uint8Array> } {
  const tree = new Tree(hasher);
  const tiles = new Map<string, Uint8Array>();
  for (const leaf of leaves.slice(0, size)) tree.append(leaf);
  for (const tile of tree.takeChangedTiles()) tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
  return { tree, tiles };
}

function sourceOf(tiles: ReadonlyMap<string, Uint8Array>): TileSource {
  return (level, index) => tiles.get(`${level}/${index}`);
}

test("the root is that of RFC 6962 at every size", () => {
  const tree = new Tree(hasher);
  expect(tree.root()).toEqual(plainRoot([]));
  for (const [index, leaf] of leaves.slice(0, 520).entries()) {
    expect(tree.append(leaf)).toBe(index);
    expect(tree.root()).toEqual(plainRoot(leaves.slice(0, index + 1)));
  }
});

test("the known root of eight well-known leaves", () => {
  const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
  const last = "606162636465666768696a6b6c6d6e6f";
  const tree = new Tree(hasher);
  for (const input of [...inputs, last]) {
    tree.append(hasher.leaf(new Uint8Array(Buffer.from(input, "hex"))));
  }
  expect(Buffer.from(tree.root()).toString("hex")).toBe(
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  );
});

test("a tree taken up from its partial tiles goes on as if it had never stopped", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 3 }), (steps) => {
      const tiles = new Map<string, Uint8Array>();
      let size = 0;
      for (const step of steps) {
        const tree = Tree.resume(hasher, size, ({ level, index }) =>
          tiles.get(`${level}/${index}`),
        );
        for (const leaf of leaves.slice(size, size + step)) tree.append(leaf);
        for (const tile of tree.takeChangedTiles()) {
          expect(tile.width).toBe(widthOf(tile, tree.size));
          expect(tile.hashes).toHaveLength(tile.width * hashLength);
          tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
        }
        size = tree.size;
        expect(tree.root()).toEqual(plainRoot(leaves.slice(0, size)));
      }
      const whole = logOf(size).tiles;
      expect(tiles).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

test("a tile of level 1 holds the roots of full tiles", () => {
  const { tiles } = logOf(1200);
  expect([...tiles.keys()]).toEqual(["0/0", "0/1", "0/2", "0/3", "0/4", "1/0"]);
  const roots = [0, 1, 2, 3].map((tile) => plainRoot(leaves.slice(tile * 256, tile * 256 + 256)));
  expect(tiles.get("1/0")).toEqual(joined(roots));
  expect(edgeTiles(1200)).toEqual([
    { level: 0, index: 4, width: 176 },
    { level: 1, index: 0, width: 4 },
  ]);
  // The example of the specification.
  expect(edgeTiles(70_000)).toEqual([
    { level: 0, index: 273, width: 112 },
    { level: 1, index: 1, width: 17 },
    { level: 2, index: 0, width: 1 },
  ]);
  expect(edgeTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
});

test("inclusion, consistency and proofs of many leaves come from tiles alone", () => {
  const { tree, tiles } = logOf(1200);
  const source = sourceOf(tiles);
  const hashesOf = (spans: readonly Span[], size: number): Uint8Array[] => {
    const named = new Set(tilesOfSpans(spans, size).map(({ level, index }) => `${level}/${index}`));
    const only: TileSource = (level, index) =>
      named.has(`${level}/${index}`) ? source(level, index) : undefined;
    return spans.map((span) => present(hashOfSpan(hasher, only, span), "a tile of the proof"));
  };
  const aSize = fc.integer({ min: 1, max: 1200 });
  fc.assert(
    fc.property(
      aSize,
      fc.nat(),
      fc.uniqueArray(fc.nat(1199), { maxLength: 40 }),
      (size, at, any) => {
        const root = plainRoot(leaves.slice(0, size));
        const index = at % size;
        expect(
          checkInclusion(hasher, {
            index,
            size,
            leafHash: present(leaves[index], "a leaf"),
            root,
            proof: hashesOf(inclusionSpans(index, size), size),
          }),
        ).toBe("proved");
        expect(
          checkConsistency(hasher, {
            older: { size, root },
            newer: { size: tree.size, root: tree.root() },
            proof: hashesOf(consistencySpans(size, tree.size), tree.size),
          }),
        ).toBe("proved");
        const indexes = any.filter((each) => each < size).toSorted((a, b) => a - b);
        const proof = joined(hashesOf(multiProofSpans(indexes, size), size));
        const of = {
          size,
          root,
          indexes,
          leafHashes: joined(indexes.map((each) => present(leaves[each], "a leaf"))),
          proof,
        };
        expect(checkMultiProof(hasher, of)).toBe("proved");
        expect(checkMultiProof(hasher, { ...of, proof: joined([proof, root]) })).toBe(
          "wrong_length",
        );
        const shorter = proof.length > 0 ? proof.slice(32) : joined([root]);
        expect(checkMultiProof(hasher, { ...of, proof: shorter })).toBe("wrong_length");
        const [first] = indexes;
        if (first === undefined || size === 1) return;
        const other = [...indexes.slice(1), indexes.at(-1)! + 1];
        expect(checkMultiProof(hasher, { ...of, indexes: other })).not.toBe("proved");
      },
    ),
    { numRuns: 200 },
  );
});

test("a missing or short tile gives no hash, never a wrong one", () => {
  const { tiles } = logOf(1200);
  expect(hashOfSpan(hasher, () => undefined, { from: 0, until: 512 })).toBeUndefined();
  const short: TileSource = (level, index) => sourceOf(tiles)(level, index)?.subarray(0, 32);
  expect(hashOfSpan(hasher, short, { from: 0, until: 512 })).toBeUndefined();
});

test("tile paths are written and read in one way only", () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe("tile/0/x001/x234/067");
  expect(tilePath({ level: 3, index: 0, width: 7 })).toBe("tile/3/000.p/7");
  fc.assert(
    fc.property(
      fc.record({
        level: fc.integer({ min: 0, max: 63 }),
        index: fc.maxSafeNat(),
        width: fc.integer({ min: 1, max: 256 }),
      }),
      (name) => {
        expect(parseTilePath(tilePath(name))).toEqual(name);
      },
    ),
  );
});

test.each([
  "tile/64/000",
  "tile/00/000",
  "tile/0/0",
  "tile/0/x000/067",
  "tile/0/x001/67",
  "tile/0/001/067",
  "tile/0/067.p/0",
  "tile/0/067.p/256",
  "tile/0/067.p/01",
  "tile/0/067.p/",
  "tile/0/067/",
  "tile/entries/000",
  "tile/-1/000",
  "tile/0/x999/x999/x999/x999/x999/999",
  "tile/0/067\n",
  "/tile/0/067",
])("%s is no tile", (path) => {
  expect(parseTilePath(path)).toBeUndefined();
});

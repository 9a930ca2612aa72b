/**
 * Tiles: how a tree is stored and published (C2SP tlog-tiles). A tile holds up to 256 hashes side
 * by side: level 0 the leaves', level L those of the full tiles of level L - 1. The levels of the
 * tree between are computed. Tiles to the right are partial until they are full; the bytes of a
 * partial tile are the beginning of those of every later one.
 *
 * Entry bundles (`tile/entries/…`) do not exist here, since events are their tenant's alone.
 */
import { hashLength, type TreeHasher } from "./hash.ts";
import { isCount, nodesOf, type Span, type TreeNode } from "./spans.ts";

export const tileWidth = 256;
export const tileHeight = 8;
const levelMax = 63;

export interface TileName {
  readonly level: number;
  readonly index: number;
  /** Hashes in it: 256 if it is full. */
  readonly width: number;
}

export interface Tile extends TileName {
  /** `width` times 32. */
  readonly hashes: Uint8Array;
}

/** "tile/0/x001/x234/067.p/12" */
export function tilePath({ level, index, width }: TileName): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.push(`${groups.length === 0 ? "" : "x"}${String(rest % 1000).padStart(3, "0")}`);
  }
  const partial = width === tileWidth ? "" : `.p/${width}`;
  return `tile/${level}/${groups.toReversed().join("/")}${partial}`;
}

const pathPattern =
  /^tile\/(0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Only the one way to write each tile; `undefined` for anything else, bundles of entries too. */
export function parseTilePath(path: string): TileName | undefined {
  const match = pathPattern.exec(path);
  if (match === null) return undefined;
  const [, level = "", groups = "", partial] = match;
  const name: TileName = {
    level: Number(level),
    index: Number(groups.replaceAll(/[x/]/g, "")),
    width: partial === undefined ? tileWidth : Number(partial),
  };
  if (name.level > levelMax || !isCount(name.index)) return undefined;
  if (partial !== undefined && name.width >= tileWidth) return undefined;
  return tilePath(name) === path ? name : undefined;
}

/** How many hashes a tile has in a tree of that size; 0 if it has none. */
export function widthOf(tile: Omit<TileName, "width">, size: number): number {
  const hashes = Math.floor(size / tileWidth ** tile.level) - tile.index * tileWidth;
  return Math.max(0, Math.min(tileWidth, hashes));
}

/** The partial tiles at the right of a tree, by level: all that is needed to go on adding to it. */
export function edgeTiles(size: number): TileName[] {
  const tiles: TileName[] = [];
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    const width = count % tileWidth;
    if (width > 0) tiles.push({ level, index: Math.floor(count / tileWidth), width });
  }
  return tiles;
}

/** The tiles that hold what the spans of a proof are computed from, each once. */
export function tilesOfSpans(spans: readonly Span[], size: number): TileName[] {
  const names = new Map<string, TileName>();
  for (const node of spans.flatMap((span) => nodesOf(span))) {
    const { level, index } = placeOf(node);
    const name = { level, index, width: widthOf({ level, index }, size) };
    names.set(tilePath(name), name);
  }
  return [...names.values()];
}

/** The hashes of a tile, as many as there are; `undefined` where there is no such tile. */
export type TileSource = (level: number, index: number) => Uint8Array | undefined;

/** The hash of a span, from tiles alone; `undefined` where a tile is missing or too narrow. */
export function hashOfSpan(
  hasher: TreeHasher,
  tiles: TileSource,
  span: Span,
): Uint8Array | undefined {
  let hash: Uint8Array | undefined;
  for (const node of nodesOf(span).toReversed()) {
    const left = hashOfNode(hasher, tiles, node);
    if (left === undefined) return undefined;
    hash = hash === undefined ? left : hasher.node(left, hash);
  }
  return hash ?? hasher.empty();
}

function hashOfNode(hasher: TreeHasher, tiles: TileSource, node: TreeNode): Uint8Array | undefined {
  const { level, index, from, count } = placeOf(node);
  const hashes = tiles(level, index);
  if (hashes === undefined || hashes.length < (from + count) * hashLength) return undefined;
  return hashOfFull(hasher, hashes.subarray(from * hashLength, (from + count) * hashLength));
}

/** The node over a power of two of hashes, side by side. */
export function hashOfFull(hasher: TreeHasher, hashes: Uint8Array): Uint8Array {
  let level = hashes.slice();
  while (level.length > hashLength) {
    const above = new Uint8Array(level.length / 2);
    for (let at = 0; at < above.length; at += hashLength) {
      hasher.nodeInto(level, 2 * at, above, at);
    }
    level = above;
  }
  return level;
}

interface Place extends Omit<TileName, "width"> {
  /** Which hashes of the tile the node is over. */
  readonly from: number;
  readonly count: number;
}

function placeOf({ height, index }: TreeNode): Place {
  const level = Math.floor(height / tileHeight);
  const count = 2 ** (height % tileHeight);
  const first = index * count;
  const tile = Math.floor(first / tileWidth);
  return { level, index: tile, from: first - tile * tileWidth, count };
}

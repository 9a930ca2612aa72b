/**
 * PostgreSQL's page checksums, checked from outside: the package that we bring has no
 * `pg_checksums`. The server checks a page when a query reads it; this finds damage before
 * anybody asks. Also works beside a running server: a page that was read while it was written is
 * read again.
 *
 * The sum is 32 FNV-1a sums in parallel over the page's 2,048 words, each with its own start, two
 * rounds of zeros after them, folded with XOR, mixed with the block number and brought into
 * 1..65535. The field of the checksum itself (bytes 8 and 9) counts as zero.
 */
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const pageBytes = 8_192;
const pagesPerRead = 64;
const pagesPerSegment = 131_072;
const rereads = 3;
const rereadAfterMs = 50;

const laneCount = 32;
const prime = 16_777_619;
const laneStarts = Uint32Array.from([
  0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c,
  0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb,
  0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4,
  0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756,
]);

export interface DamagedPage {
  /** Relative to the cluster. */
  readonly file: string;
  readonly block: number;
}

export interface PageCheck {
  readonly pages: number;
  readonly damaged: readonly DamagedPage[];
}

const damagedMax = 100;

/** Reads every page of every table and index of the cluster. */
export async function checkPages(cluster: string, signal: AbortSignal): Promise<PageCheck> {
  let pages = 0;
  const damaged: DamagedPage[] = [];
  for (const file of await relationFiles(cluster)) {
    signal.throwIfAborted();
    const checked = await checkFile(cluster, file);
    pages += checked.pages;
    damaged.push(...checked.damaged.slice(0, damagedMax - damaged.length));
  }
  return { pages, damaged };
}

/** Size of what `checkPages` would read. */
export async function pagesSize(cluster: string): Promise<number> {
  let bytes = 0;
  for (const file of await relationFiles(cluster)) {
    bytes += (await stat(join(cluster, file))).size;
  }
  return bytes;
}

const relationName = /^\d+(?:_(?:fsm|vm|init))?(?:\.(?<segment>\d+))?$/;

async function relationFiles(cluster: string): Promise<string[]> {
  const databases = (await readdir(join(cluster, "base"))).filter((name) => /^\d+$/.test(name));
  const directories = ["global", ...databases.map((name) => `base/${name}`)];
  const lists = await Promise.all(
    directories.map(async (directory) =>
      (await readdir(join(cluster, directory)))
        .filter((name) => relationName.test(name))
        .map((name) => `${directory}/${name}`),
    ),
  );
  return lists.flat();
}

async function checkFile(cluster: string, name: string): Promise<PageCheck> {
  const segment = Number(relationName.exec(name.split("/").at(-1) ?? "")?.groups?.["segment"] ?? 0);
  const damaged: DamagedPage[] = [];
  // A table may be dropped while we look.
  const file = await open(join(cluster, name)).catch(() => undefined);
  if (file === undefined) return { pages: 0, damaged };
  try {
    const buffer = Buffer.alloc(pageBytes * pagesPerRead);
    let block = segment * pagesPerSegment;
    for (let offset = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      const count = Math.floor(bytesRead / pageBytes);
      for (let index = 0; index < count; index += 1) {
        const page = buffer.subarray(index * pageBytes, (index + 1) * pageBytes);
        const at = offset + index * pageBytes;
        if (!isWhole(page, block) && !(await isWholeLater(file, at, block))) {
          damaged.push({ file: name, block });
        }
        block += 1;
      }
      offset += count * pageBytes;
      if (bytesRead < buffer.length) return { pages: offset / pageBytes, damaged };
    }
  } finally {
    await file.close();
  }
}

async function isWholeLater(file: FileHandle, offset: number, block: number): Promise<boolean> {
  const page = Buffer.alloc(pageBytes);
  for (let attempt = 0; attempt < rereads; attempt += 1) {
    await wait(rereadAfterMs);
    const { bytesRead } = await file.read(page, 0, pageBytes, offset);
    // Shorter by now: the table was truncated.
    if (bytesRead < pageBytes || isWhole(page, block)) return true;
  }
  return false;
}

/** A page that was never written is all zeros and has no checksum. */
function isWhole(page: Buffer, block: number): boolean {
  const upperBound = page.readUInt16LE(14);
  if (upperBound === 0) return page.every((byte) => byte === 0);
  return page.readUInt16LE(8) === pageChecksum(page, block);
}

export function pageChecksum(page: Buffer, block: number): number {
  const words = new Uint32Array(page.buffer, page.byteOffset, pageBytes / 4);
  const lanes = Uint32Array.from(laneStarts);
  for (let index = 0; index < words.length + 2 * laneCount; index += 1) {
    const lane = index % laneCount;
    // Word 2 holds the checksum in its lower half.
    const word = index === 2 ? (words[2] ?? 0) & 0xffff_0000 : (words[index] ?? 0);
    const mixed = (lanes[lane] ?? 0) ^ word;
    lanes[lane] = Math.imul(mixed, prime) ^ (mixed >>> 17);
  }
  const folded = lanes.reduce((sum, lane) => sum ^ lane, 0);
  return (((folded ^ block) >>> 0) % 65_535) + 1;
}

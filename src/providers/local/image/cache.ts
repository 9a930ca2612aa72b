/**
 * Built images on disk, found by what they were made of and named by what they hold:
 *
 *     <directory>/<name>-<id>/manifest.json, kernel, initrd, base.qcow2
 *     <directory>/.building-<name>-…      a build under way, or its remains
 *
 * What must stay true: a directory with its final name is whole, because it is renamed into place;
 * every use checks size and hash of every file; nothing is ever changed in place, so a machine
 * that still runs on older files keeps them by its links.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

import { createLocks } from "#providers/local/lock.ts";

import { removeRemains } from "./remains.ts";

const manifestSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  /** Hash of all that was asked for; the same question finds the same image. */
  recipe: z.string(),
  /** What it was made of: file names of the packages, with their versions. */
  madeOf: z.array(z.string()),
  files: z.record(z.string(), z.object({ bytes: z.int(), sha256: z.string() })),
});
type Manifest = z.infer<typeof manifestSchema>;

export interface Cached {
  /** Hash of the contents. */
  readonly id: string;
  readonly path: string;
}

export interface CacheRequest {
  readonly directory: string;
  readonly name: string;
  readonly recipe: string;
  readonly fileNames: readonly string[];
  /** Writes the files into the directory and says what they were made of. */
  readonly build: (draft: string) => Promise<readonly string[]>;
  readonly signal: AbortSignal;
}

/** A hash of anything that JSON can write. */
export function recipeKey(recipe: unknown): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}

/** The cached image, or a new one; of many who ask at once, in any process, one builds. */
export async function cachedOrBuilt(request: CacheRequest): Promise<Cached> {
  await mkdir(request.directory, { recursive: true, mode: 0o755 });
  const found = await findIntact(request);
  if (found !== undefined) return found;
  const locks = createLocks(request.directory);
  const release = await locks.acquire(`image-${request.name}`, request.signal);
  try {
    return (await findIntact(request)) ?? (await build(request));
  } finally {
    release();
  }
}

async function build(request: CacheRequest): Promise<Cached> {
  const { directory, name } = request;
  await removeDrafts(request);
  const draft = join(directory, `.building-${name}-${randomBytes(6).toString("hex")}`);
  const output = join(draft, "image");
  try {
    await mkdir(output, { recursive: true, mode: 0o755 });
    const madeOf = await request.build(output);
    const files: Record<string, { bytes: number; sha256: string }> = {};
    for (const file of request.fileNames) {
      await chmod(join(output, file), 0o644);
      files[file] = await describe(join(output, file));
    }
    const manifest: Manifest = {
      format: 1,
      name,
      recipe: request.recipe,
      madeOf: [...madeOf],
      files,
    };
    await writeFile(join(output, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
    const id = idOf(manifest);
    const path = join(directory, directoryName(name, id));
    await rm(path, { recursive: true, force: true });
    await rename(output, path);
    return { id, path };
  } finally {
    // What cannot be removed now hides neither the image nor why there is none: the next builder tries again.
    await removeRemains(draft).catch(() => {});
  }
}

/** What crashed builders and older recipes of this image left; we hold the lock. */
async function removeDrafts({ directory, name }: CacheRequest): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (entry.startsWith(`.building-${name}-`)) {
      await removeRemains(join(directory, entry));
    }
  }
}

/** The newest whole image of this recipe. A damaged one is removed, so that it is built again. */
async function findIntact(request: CacheRequest): Promise<Cached | undefined> {
  const candidates: { path: string; at: number; manifest: Manifest }[] = [];
  for (const entry of await readdir(request.directory)) {
    if (!entry.startsWith(`${request.name}-`)) continue;
    const path = join(request.directory, entry);
    const manifest = await readManifest(path);
    if (manifest?.recipe !== request.recipe) continue;
    candidates.push({ path, at: (await stat(path)).mtimeMs, manifest });
  }
  candidates.sort((a, b) => b.at - a.at);
  for (const { path, manifest } of candidates) {
    if (await isIntact(path, manifest, request.fileNames)) return { id: idOf(manifest), path };
    await rm(path, { recursive: true, force: true });
  }
  return undefined;
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    const text = await readFile(join(path, "manifest.json"), "utf8");
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isIntact(
  path: string,
  manifest: Manifest,
  fileNames: readonly string[],
): Promise<boolean> {
  try {
    for (const file of fileNames) {
      const expected = manifest.files[file];
      if (expected === undefined) return false;
      if ((await stat(join(path, file))).size !== expected.bytes) return false;
      if ((await describe(join(path, file))).sha256 !== expected.sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

async function describe(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

function idOf(manifest: Manifest): string {
  const files = Object.entries(manifest.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return recipeKey([manifest.format, manifest.name, manifest.recipe, files]);
}

function directoryName(name: string, id: string): string {
  return `${name}-${id.slice(0, 16)}`;
}

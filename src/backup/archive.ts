/**
 * The archive: a tar file compressed with zstd whose last entry is the manifest, with the SHA-256
 * of every file before it. An archive without a manifest is cut short; a reader looks at
 * everything before it believes anything.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { z } from "zod";

import {
  damaged,
  readTar,
  tarEnd,
  tarEntry,
  type Entry,
  type EntryWithContent,
} from "#archive/tar.ts";
import { Failure } from "#kernel/failure.ts";

export const manifestPath = "manifest.json";
const manifestBytesMax = 256 * 1024 * 1024;
const archiveMode = 0o600;
const compressionLevel = 3;

const manifestSchema = z.object({
  format: z.literal(1),
  createdAt: z.string(),
  /** `external`: the database is not in here, because it is not in the data directory. */
  database: z.enum(["embedded", "external"]),
  leftOut: z.array(z.object({ path: z.string(), because: z.string() })),
  entries: z.array(
    z.object({
      path: z.string(),
      kind: z.enum(["file", "directory", "link", "same"]),
      size: z.number().int().nonnegative(),
      sha256: z.string(),
    }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestEntry = Manifest["entries"][number];

export interface WriteOptions {
  readonly path: string;
  readonly entries: AsyncIterable<EntryWithContent>;
  /** Called after the last entry. */
  readonly describe: () => Omit<Manifest, "format" | "entries">;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, path: string) => void;
}

/** Writes beside `path` and renames, so that `path` is a whole archive or not there. */
export async function writeArchive(options: WriteOptions): Promise<Manifest> {
  const partial = `${options.path}.partial`;
  const manifest: { value?: Manifest } = {};
  try {
    await pipeline(
      archiveBytes(options, (value) => {
        manifest.value = value;
      }),
      createZstdCompress({
        params: {
          [constants.ZSTD_c_compressionLevel]: compressionLevel,
          [constants.ZSTD_c_checksumFlag]: 1,
        },
      }),
      createWriteStream(partial, { mode: archiveMode, flags: "w", flush: true }),
      { signal: options.signal },
    );
    await rename(partial, options.path);
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof Failure || options.signal.aborted) throw cause;
    throw new Failure("unavailable", `The backup could not be written: ${String(cause)}.`, {
      cause,
    });
  }
  return manifestSchema.parse(manifest.value);
}

async function* archiveBytes(
  options: WriteOptions,
  done: (manifest: Manifest) => void,
): AsyncGenerator<Buffer> {
  const listed: ManifestEntry[] = [];
  let bytes = 0;
  for await (const { entry, content } of options.entries) {
    const hash = createHash("sha256");
    yield* tarEntry({ entry, content: hashed(content, hash) });
    listed.push({
      path: entry.path,
      kind: entry.kind,
      size: entry.size,
      sha256: hash.update(entry.target ?? "").digest("hex"),
    });
    bytes += entry.size;
    options.onProgress(bytes, entry.path);
  }
  const manifest: Manifest = { format: 1, ...options.describe(), entries: listed };
  done(manifest);
  const text = Buffer.from(JSON.stringify(manifest));
  yield* tarEntry({
    entry: {
      kind: "file",
      path: manifestPath,
      mode: archiveMode,
      uid: 0,
      gid: 0,
      user: "",
      group: "",
      size: text.length,
      modifiedAt: Date.parse(manifest.createdAt),
    },
    content: oneChunk(text),
  });
  yield tarEnd();
}

/**
 * Reads the archive, handing each entry to `visit`, which reads its content. A Failure unless everything in it matches its
 * manifest; what `visit` did until then is for the caller to undo.
 */
export async function readArchive(
  path: string,
  signal: AbortSignal,
  visit: (entry: Entry, content: AsyncIterable<Buffer>) => Promise<void>,
): Promise<Manifest> {
  const seen = new Map<string, ManifestEntry>();
  let manifest: Manifest | undefined;
  for await (const { entry, content } of readTar(plainBytes(path, signal))) {
    if (manifest !== undefined) throw damaged("something stands after the manifest");
    if (entry.path === manifestPath) {
      manifest = await parseManifest(entry, content);
      continue;
    }
    const hash = createHash("sha256");
    await visit(entry, hashed(content, hash));
    const sha256 = hash.update(entry.target ?? "").digest("hex");
    seen.set(entry.path, { path: entry.path, kind: entry.kind, size: entry.size, sha256 });
  }
  if (manifest === undefined) throw damaged("it has no manifest");
  compare(manifest, seen);
  return manifest;
}

/** What was compressed. Any error of reading it is a Failure, so that others are the visitor's. */
async function* plainBytes(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const source = createReadStream(path);
  const plain = source.pipe(createZstdDecompress());
  source.on("error", (error) => plain.destroy(error));
  try {
    for await (const chunk of plain) {
      signal.throwIfAborted();
      yield chunk;
    }
  } catch (cause) {
    signal.throwIfAborted();
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (["ENOENT", "EACCES", "EISDIR"].includes(code)) {
      throw new Failure("not_found", `The archive ${path} cannot be read (${code}).`, { cause });
    }
    throw damaged(String(cause), cause);
  } finally {
    source.destroy();
  }
}

function compare(manifest: Manifest, seen: ReadonlyMap<string, ManifestEntry>): void {
  for (const listed of manifest.entries) {
    const found = seen.get(listed.path);
    if (found === undefined) throw damaged(`${listed.path} is missing`);
    const isSame =
      found.sha256 === listed.sha256 && found.size === listed.size && found.kind === listed.kind;
    if (!isSame) throw damaged(`${listed.path} differs from its SHA-256`);
  }
  if (seen.size !== manifest.entries.length) throw damaged("it holds more than its manifest lists");
}

async function parseManifest(entry: Entry, content: AsyncIterable<Buffer>): Promise<Manifest> {
  if (entry.size > manifestBytesMax) throw damaged("its manifest is too long");
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  try {
    return manifestSchema.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  } catch (cause) {
    throw damaged("its manifest is of an unknown form", cause);
  }
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

export async function* oneChunk(chunk: Buffer): AsyncGenerator<Buffer> {
  if (chunk.length > 0) yield chunk;
}

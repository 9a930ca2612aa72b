/** Files that commands read and write; "-" is stdin or stdout. */
import { createWriteStream, openAsBlob } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { once } from "node:events";
import { finished } from "node:stream/promises";

import { Failure } from "#kernel/failure.ts";

import type { Output } from "./output.ts";

export async function readTextFile(path: string): Promise<string> {
  if (path === "-") return (await readStdin()).toString("utf8");
  return (await readable(path, readFile(path))).toString("utf8");
}

export async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Read from the disk as it is sent, and again if it must be sent again. */
export async function openFile(path: string): Promise<Blob> {
  if (path === "-") return new Blob([new Uint8Array(await readStdin())]);
  const found = await readable(path, stat(path));
  if (!found.isFile()) throw new Failure("invalid_request", `${path} is not a file.`);
  return readable(path, openAsBlob(path));
}

/**
 * Whole or not at all: the bytes go to a file beside, which takes the name when all have come.
 * An existing file is replaced only with `force`.
 */
export async function saveTo(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { force }: { readonly force: boolean },
): Promise<number> {
  const existing = await stat(path).catch(() => undefined);
  if (existing !== undefined && !force) {
    throw new Failure("conflict", `${path} exists. Name another file with --to, or add --force.`);
  }
  const part = `${path}.${process.pid}.part`;
  let size = 0;
  try {
    const file = createWriteStream(part, { flags: "wx" });
    const opened = once(file, "open");
    await readable(part, opened);
    for await (const chunk of chunks) {
      size += chunk.byteLength;
      if (!file.write(chunk)) await once(file, "drain");
    }
    file.end();
    await finished(file);
    await rename(part, path);
    return size;
  } finally {
    await rm(part, { force: true });
  }
}

export async function pour(out: Output, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) await out.write(chunk);
}

async function readable<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = reason.startsWith("ENOENT") ? "not_found" : "forbidden";
    const said = code === "not_found" ? "There is no such file" : reason;
    throw new Failure(code, `Cannot use ${path}: ${said}.`, { cause: error });
  }
}

/** Writes the entries of an archive below a directory, each with its owner, its mode and its holes. */
import { chmod, lchown, link, mkdir, open, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Entry } from "#archive/tar.ts";
import { databaseAccount } from "#db/embedded-binaries.ts";
import { Failure } from "#kernel/failure.ts";

import { accountIds } from "./accounts.ts";
import { readArchive } from "./archive.ts";

export interface UnpackOptions {
  readonly archive: string;
  /** Of which entries; the others are read, and compared with the manifest, only. */
  readonly include: (path: string) => boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, path: string) => void;
}

const sparseBlockBytes = 64 * 1024;

/** The owners that this machine does not know; their files belong to whoever restores. */
export async function unpack(partial: string, options: UnpackOptions): Promise<readonly string[]> {
  // Its files need their owner before the archive's first one is written.
  await databaseAccount();
  const unknown = new Set<string>();
  const directories: Entry[] = [];
  const links = new Set<string>();
  let bytes = 0;
  await readArchive(options.archive, options.signal, async (entry, content) => {
    if (!options.include(entry.path)) {
      await drain(entry, content);
      return;
    }
    const path = safePath(partial, entry.path, links);
    switch (entry.kind) {
      case "directory":
        await mkdir(path, { recursive: true, mode: 0o700 });
        directories.push(entry);
        break;
      case "link":
        await symlink(entry.target ?? "", path);
        links.add(path);
        break;
      case "same":
        await link(safePath(partial, entry.target ?? "", links), path);
        break;
      case "file":
        await writeSparse(path, entry, content);
        break;
    }
    if (!(await giveOwner(path, entry))) unknown.add(entry.user);
    bytes += entry.size;
    options.onProgress(bytes, entry.path);
  });
  for (const entry of directories) await chmod(join(partial, entry.path), entry.mode);
  return [...unknown].toSorted();
}

/** An archive is not to be trusted with paths that lead elsewhere, by dots or through a link. */
function safePath(root: string, path: string, links: ReadonlySet<string>): string {
  const parts = path.split("/");
  let isSafe = parts.every((part) => part !== "" && part !== "." && part !== "..");
  for (let at = join(root, path); isSafe && at !== root; at = dirname(at)) {
    isSafe = !links.has(at);
  }
  if (isSafe) return join(root, path);
  throw new Failure("invalid_request", `The archive holds a path that leads elsewhere: ${path}`);
}

/** Blocks of zeros become holes, as they were in the disks of virtual machines. */
async function writeSparse(
  path: string,
  entry: Entry,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  const file = await open(path, "wx", entry.mode);
  try {
    let position = 0;
    for await (const chunk of content) {
      for (let offset = 0; offset < chunk.length; offset += sparseBlockBytes) {
        const part = chunk.subarray(offset, offset + sparseBlockBytes);
        if (!isZero(part)) await file.write(part, 0, part.length, position);
        position += part.length;
      }
    }
    await file.truncate(entry.size);
    await file.chmod(entry.mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

const zeros = Buffer.alloc(sparseBlockBytes);

function isZero(part: Buffer): boolean {
  return part.equals(zeros.subarray(0, part.length));
}

async function giveOwner(path: string, entry: Entry): Promise<boolean> {
  if (process.getuid?.() !== 0 || entry.kind === "same") return true;
  // Numbers without a name (those under which QEMU runs) mean the same everywhere.
  const ids = entry.user === "" ? entry : await accountIds(entry.user, entry.group);
  if (ids === undefined) return false;
  await lchown(path, ids.uid, ids.gid);
  return true;
}

export async function drain(_entry: Entry, content: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of content) void chunk;
}

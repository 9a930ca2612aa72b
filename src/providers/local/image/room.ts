/**
 * Room on the disk to build images in. A build that filled the disk would stop the database beside
 * it, so it does not begin without the room that it takes.
 */
import { statfs } from "node:fs/promises";

import { errorCode } from "#providers/local/files.ts";
import { ProviderError } from "#providers/provider.ts";

const mebibyte = 1024 * 1024;
/** Left for everything else on that disk while an image is built. */
const spareBytes = 256 * mebibyte;

interface Room {
  readonly image: string;
  /** Where it is built. */
  readonly directory: string;
  readonly buildBytes: number;
  readonly cause?: unknown;
}

/** Throws ProviderError `capacity`, with the numbers. */
export async function requireRoom(room: Room): Promise<void> {
  if ((await freeBytes(room.directory)) < room.buildBytes + spareBytes) throw await noRoom(room);
}

export async function noRoom({
  image,
  directory,
  buildBytes,
  cause,
}: Room): Promise<ProviderError> {
  const free = mebibytes(await freeBytes(directory));
  const needed = mebibytes(buildBytes + spareBytes);
  return new ProviderError(
    "capacity",
    `The disk has no room to build the guest image ${image}: it takes ${needed} MiB for a while, ` +
      `and ${free} MiB are left at ${directory}. Free some space, or put the images elsewhere ` +
      "with --image-cache.",
    { effect: "none", ...(cause === undefined ? {} : { cause }) },
  );
}

/** Also where a program of ours met the full disk and could only say so in words. */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = errorCode(at);
    if (code === "ENOSPC" || code === "EDQUOT") return true;
    if (/No space left on device|Disk quota exceeded|enough free space/.test(at.message))
      return true;
  }
  return false;
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / mebibyte);
}

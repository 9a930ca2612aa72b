/** A directory becomes the file system on a disk image, without mounting anything. */
import { rm } from "node:fs/promises";

import { runProgram } from "./program.ts";

export interface DiskRequest {
  readonly directory: string;
  readonly targetPath: string;
  readonly bytes: number;
  /** Runs first, as the same (fake) root, and execs what follows: the command line is appended. */
  readonly before?: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * ext4 in 4 KiB blocks, also where it is small, so that it can grow a thousandfold while it is
 * mounted. Fewer inodes than the default: growing to 10 GB touches a quarter of the blocks.
 */
const fileSystem = ["-q", "-F", "-t", "ext4", "-b", "4096", "-i", "32768", "-m", "1"] as const;

export async function makeDiskImage(request: DiskRequest): Promise<void> {
  const { directory, targetPath, bytes, signal } = request;
  const raw = `${targetPath}.raw`;
  const options = ["-E", "lazy_itable_init=1", "-L", "millrace-root"];
  const size = `${Math.ceil(bytes / 4096)}`;
  const make = ["mke2fs", ...fileSystem, ...options, "-d", directory, raw, size];
  await runAsRoot([...(request.before ?? []), ...make], directory, signal);
  await runProgram("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, targetPath], {
    signal,
  });
  await rm(raw);
}

/** As root, or so that the program believes it is and sees our files as root's. */
export async function runAsRoot(
  command: readonly string[],
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  const isRoot = process.getuid?.() === 0;
  const [file = "", ...parameters] = isRoot ? command : ["fakeroot", "--", ...command];
  // e2fsprogs live in /usr/sbin, which is not on every user's path.
  const environment = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  return runProgram(file, parameters, { signal, directory, environment });
}

/**
 * The first file system of every machine: Perl, the agent as its first program, and the modules.
 * It is not packed, because an emulated machine unpacks slower than QEMU copies. One archive
 * serves all our images; what is on the disk decides how it goes on.
 *
 * Perl rather than a shell: it loads the modules, mounts the disk and becomes the agent in one
 * process; as a chain of busybox programs the same took 0.2 s longer under emulation.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { agentScript } from "#providers/local/guest/agent-script.ts";

import { writeCpio, type CpioEntry } from "./cpio.ts";
import type { KernelModule } from "./kernel.ts";

const directories = [
  "dev",
  "lib",
  "lib/x86_64-linux-gnu",
  "lib64",
  "modules",
  "proc",
  "root",
  "sys",
  "usr",
  "usr/bin",
  "usr/lib",
  "usr/lib/x86_64-linux-gnu",
  "usr/lib/x86_64-linux-gnu/perl-base",
] as const;

const programs = [
  "usr/bin/perl",
  "usr/lib/x86_64-linux-gnu/perl-base/strict.pm",
  "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
  "lib/x86_64-linux-gnu/libc.so.6",
  "lib/x86_64-linux-gnu/libcrypt.so.1",
  "lib/x86_64-linux-gnu/libm.so.6",
] as const;

/** `packagesRoot` holds the unpacked packages perl-base, libc6 and libcrypt1. */
export async function buildInitrd(
  packagesRoot: string,
  modules: readonly KernelModule[],
): Promise<Buffer> {
  const entries: CpioEntry[] = directories.map((path) => ({ kind: "directory", path }));
  // The kernel opens /dev/console for the first program before anything is mounted.
  entries.push({ kind: "device", path: "dev/console", major: 5, minor: 1 });
  for (const path of programs) {
    const data = await readFile(join(packagesRoot, path));
    entries.push({ kind: "file", path, data, executable: true });
  }
  const loader = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
  entries.push({ kind: "link", path: "lib64/ld-linux-x86-64.so.2", target: loader });
  for (const [index, module] of modules.entries()) {
    const path = `modules/${String(index).padStart(2, "0")}-${module.name}.ko`;
    entries.push({ kind: "file", path, data: module.data, executable: false });
  }
  const script = Buffer.from(await agentScript());
  entries.push({ kind: "file", path: "init", data: script, executable: true });
  return writeCpio(entries);
}

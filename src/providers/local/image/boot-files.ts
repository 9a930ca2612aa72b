/** The two files that every image boots with, out of Debian's kernel package and Perl. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { present } from "#kernel/assert.ts";

import { buildInitrd } from "./initrd.ts";
import { bootModules, loadModules, unpackKernel } from "./kernel.ts";

/**
 * Writes `kernel` and `initrd` and returns the release of the kernel. `root` holds the unpacked
 * packages perl-base, libc6 and libcrypt1.
 */
export async function installKernel(parts: {
  readonly kernelRoot: string;
  readonly root: string;
  readonly output: string;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { kernelRoot, root, output, signal } = parts;
  const [version] = await readdir(join(kernelRoot, "lib/modules"));
  const release = present(version, "kernel release");
  const packed = join(kernelRoot, "boot", `vmlinuz-${release}`);
  await unpackKernel(packed, join(output, "kernel"), signal);
  await rm(join(output, "kernel.packed"), { force: true });
  const modules = await loadModules(join(kernelRoot, "lib/modules", release), bootModules);
  await writeFile(join(output, "initrd"), await buildInitrd(root, modules));
  return release;
}

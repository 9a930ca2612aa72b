/**
 * The tiny image: busybox, dropbear and Perl on a small ext4 root that grows to its disk. It boots
 * in the time that the kernel needs, for jobs that are shell scripts and for tests.
 */
import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { installKernel } from "./boot-files.ts";
import { makeDiskImage } from "./disk-image.ts";
import type { BuildContext } from "./image.ts";

import { bootModules } from "./kernel.ts";
import { fetchPackages, kernelPackage, unpackPackage } from "./packages.ts";
import { runProgram } from "./program.ts";

const mebibyte = 1024 * 1024;
export const tinyDiskBytes = 64 * mebibyte;

const packages = [
  kernelPackage,
  "busybox-static",
  "dropbear-bin",
  "libc6",
  "libcrypt1",
  "libgmp10",
  "libtomcrypt1",
  "libtommath1",
  "openssh-sftp-server",
  "perl-base",
  "zlib1g",
] as const;

/** What the packages bring and no machine of this size needs. */
const unwanted = [
  "usr/share",
  "usr/lib/x86_64-linux-gnu/gconv",
  "usr/lib/x86_64-linux-gnu/perl-base/unicore",
  "lib/x86_64-linux-gnu/libmvec.so.1",
  "lib/x86_64-linux-gnu/libc_malloc_debug.so.0",
  "usr/bin/perl5.36.0",
  "etc/init.d",
  "lib/systemd",
] as const;

const folders: Readonly<Record<string, number>> = {
  dev: 0o755,
  "etc/dropbear": 0o755,
  "etc/millrace": 0o755,
  home: 0o755,
  mnt: 0o755,
  opt: 0o755,
  proc: 0o755,
  root: 0o700,
  run: 0o755,
  sbin: 0o755,
  srv: 0o755,
  sys: 0o755,
  tmp: 0o1777,
  "usr/local/bin": 0o755,
  "var/lib/millrace": 0o711,
  "var/log": 0o755,
  "var/tmp": 0o1777,
};

const texts: Readonly<Record<string, string>> = {
  "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
  "etc/hostname": "tiny\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n",
  "etc/millrace/image": "tiny\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
  "etc/os-release":
    'NAME="Millrace tiny"\nID=millrace-tiny\nID_LIKE=debian\nPRETTY_NAME="Millrace tiny (Debian 12 kernel, busybox)"\n',
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  "etc/profile": 'export PS1="\\u@\\h:\\w\\$ "\numask 022\n',
  "etc/shadow": "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n",
  "etc/shells": "/bin/sh\n",
};

const links: Readonly<Record<string, string>> = {
  "etc/mtab": "/proc/self/mounts",
  "usr/bin/env": "/bin/busybox",
  "var/run": "/run",
};

/** Everything that decides about the result besides the versions of the packages. */
export const tinyRecipe = {
  kind: "tiny",
  version: 1,
  packages,
  unwanted,
  folders,
  texts,
  links,
  bootModules,
  bytes: tinyDiskBytes,
};

export async function buildTiny({ output, work, report, signal }: BuildContext): Promise<string[]> {
  report("packages", `downloading ${packages.length} Debian packages for the tiny image`);
  const fetched = await fetchPackages(work, packages, signal);
  const kernelRoot = join(work, "kernel");
  const root = join(work, "root");
  report("unpack", "unpacking the kernel and the programs");
  for (const file of fetched.files) {
    const target = file.startsWith("linux-image") ? kernelRoot : root;
    await unpackPackage(join(fetched.directory, file), target, signal);
  }
  await installKernel({ kernelRoot, root, output, signal });
  report("disk", "making the tiny image's disk");
  await arrange(root, signal);
  const targetPath = join(output, "base.qcow2");
  await makeDiskImage({ directory: root, targetPath, bytes: tinyDiskBytes, signal });
  return [...fetched.files];
}

async function arrange(root: string, signal: AbortSignal): Promise<void> {
  for (const path of unwanted) await rm(join(root, path), { recursive: true, force: true });
  for (const [path, mode] of Object.entries(folders)) {
    await mkdir(join(root, path), { recursive: true });
    await chmod(join(root, path), mode);
  }
  for (const [path, text] of Object.entries(texts)) {
    await writeFile(join(root, path), text);
    await chmod(join(root, path), path === "etc/shadow" ? 0o640 : 0o644);
  }
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
  const applets = await runProgram(join(root, "bin/busybox"), ["--list"], { signal });
  const programs = new Set(await readdir(join(root, "bin")));
  for (const applet of applets.split("\n")) {
    if (applet !== "" && !programs.has(applet)) await symlink("busybox", join(root, "bin", applet));
  }
}

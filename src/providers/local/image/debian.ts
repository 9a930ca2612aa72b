/**
 * The general image: Debian 12 as its users know it, with systemd, apt, sudo, Python and
 * cloud-init, on our kernel and agent. mmdebstrap puts it together from packages.
 *
 * cloud-init runs only where the host gives it a seed disk (the initramfs decides); keys, name,
 * network and disk are the agent's in any case, which takes a tenth of the time.
 */
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ProviderError } from "#providers/provider.ts";
import { agentScript } from "#providers/local/guest/agent-script.ts";

import { installKernel } from "./boot-files.ts";
import { debianLinks, debianMasks, debianTexts } from "./debian-files.ts";
import { makeDiskImage, runAsRoot } from "./disk-image.ts";
import type { BuildContext } from "./image.ts";
import { bootModules } from "./kernel.ts";
import { fetchPackages, kernelPackage, unpackPackage } from "./packages.ts";
import { runProgram } from "./program.ts";
import { isDiskFull, noRoom } from "./room.ts";

export const debianDiskBytes = 2 * 1024 ** 3;
/** The unpacked system with the packages that it comes from. */
const systemBytes = 1024 ** 3;

const bootPackages = [kernelPackage, "libc6", "libcrypt1", "perl-base"] as const;

const packages = [
  "bash-completion",
  "ca-certificates",
  "cloud-init",
  "curl",
  "dbus",
  "dropbear-bin",
  "iproute2",
  "iputils-ping",
  "kmod",
  "less",
  "nano",
  "netbase",
  "openssh-client",
  "openssh-sftp-server",
  "perl-base",
  "procps",
  "python3-minimal",
  "sudo",
  "systemd-sysv",
  "tzdata",
  "udev",
  "vim-tiny",
  "wget",
] as const;

/** Manuals and translations are half of a small system; licenses stay. */
const leftOut = [
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
] as const;

export const debianRecipe = {
  kind: "debian-12",
  version: 1,
  suite: "bookworm",
  bootPackages,
  packages,
  leftOut,
  texts: debianTexts,
  links: debianLinks,
  masks: debianMasks,
  bootModules,
  bytes: debianDiskBytes,
};

export async function buildDebian(context: BuildContext): Promise<string[]> {
  const { output, work, report, signal } = context;
  report("packages", "downloading the kernel for the Debian 12 image");
  const fetched = await fetchPackages(work, bootPackages, signal);
  const kernelRoot = join(work, "kernel");
  const perlRoot = join(work, "perl");
  for (const file of fetched.files) {
    const target = file.startsWith("linux-image") ? kernelRoot : perlRoot;
    await unpackPackage(join(fetched.directory, file), target, signal);
  }
  const release = await installKernel({ kernelRoot, root: perlRoot, output, signal });
  report("system", "putting Debian 12 together from its packages, about a minute");
  const archive = await bootstrap(work, { kernelRoot, release, signal });
  report("disk", "making the Debian 12 image's disk");
  const overlay = join(work, "overlay");
  await writeOverlay(overlay);
  await makeDisk(context, archive, overlay);
  return [...fetched.files];
}

async function bootstrap(
  work: string,
  kernel: { readonly kernelRoot: string; readonly release: string; readonly signal: AbortSignal },
): Promise<string> {
  const archive = join(work, "system.tar");
  const modules = join(kernel.kernelRoot, "lib/modules");
  const parameters = [
    "--variant=minbase",
    "--quiet",
    '--aptopt=Acquire::Retries "3"',
    `--include=${packages.join(",")}`,
    ...leftOut.map((option) => `--dpkgopt=${option}`),
    `--customize-hook=copy-in ${quoted(modules)} /usr/lib`,
    `--customize-hook=chroot "$1" depmod -a ${quoted(kernel.release)}`,
    // The list of what is in it, for those who ask what an image holds.
    '--customize-hook=chroot "$1" dpkg-query -W > "$1/etc/millrace-packages"',
    "--format=tar",
    debianRecipe.suite,
    archive,
  ];
  const scratch = await scratchFor(work);
  try {
    await runProgram("mmdebstrap", parameters, {
      signal: kernel.signal,
      environment: { TMPDIR: scratch },
    });
  } catch (error) {
    if (scratch !== work && isDiskFull(error)) {
      const place = { image: debianRecipe.kind, directory: dirname(scratch) };
      throw await noRoom({ ...place, buildBytes: systemBytes, cause: error });
    }
    throw noNamespace(error) ?? error;
  } finally {
    if (scratch !== work) await rm(scratch, { recursive: true, force: true }).catch(() => {});
  }
  return archive;
}

/**
 * Where mmdebstrap unpacks. Without root it works under the spare user ids of the account, which may
 * not pass through its home directory or a data directory: it gets a place in /var/tmp, which is
 * on a disk where /tmp may be memory.
 */
async function scratchFor(work: string): Promise<string> {
  if (process.getuid?.() === 0) return work;
  const scratch = await mkdtemp("/var/tmp/millrace-build-");
  await chmod(scratch, 0o711);
  return scratch;
}

function noNamespace(error: unknown): ProviderError | undefined {
  if (!(error instanceof Error) || !/unable to pick chroot mode/.test(error.message))
    return undefined;
  const message =
    "The Debian image cannot be built by this account: it needs user namespaces (sysctl " +
    "user.max_user_namespaces) and spare user ids in /etc/subuid and /etc/subgid. As root: " +
    "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ACCOUNT.";
  return new ProviderError("unavailable", message, { effect: "none", cause: error });
}

/** For mmdebstrap's hooks, which it splits as a shell does. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function writeOverlay(overlay: string): Promise<void> {
  const put = async (path: string, text: string, mode: number): Promise<void> => {
    await mkdir(dirname(join(overlay, path)), { recursive: true });
    await writeFile(join(overlay, path), text);
    await chmod(join(overlay, path), mode);
  };
  await put("usr/lib/millrace/agent.pl", await agentScript(), 0o755);
  for (const [path, text] of Object.entries(debianTexts)) {
    await put(path, text, path.startsWith("etc/sudoers.d/") ? 0o440 : 0o644);
  }
  const links = { ...debianLinks, ...masked() };
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(overlay, path)), { recursive: true });
    await symlink(target, join(overlay, path));
  }
}

function masked(): Record<string, string> {
  return Object.fromEntries(
    debianMasks.map((unit) => [`etc/systemd/system/${unit}`, "/dev/null"] as const),
  );
}

/** Unpacks, lays our files over it and makes the file system, all as the same (fake) root. */
async function makeDisk(context: BuildContext, archive: string, overlay: string): Promise<void> {
  const { output, work, signal } = context;
  const root = join(work, "root");
  await mkdir(root);
  const script = [
    "set -e",
    'tar -xpf "$1" -C "$2" --numeric-owner --exclude=./dev/*',
    'cp -a "$3/." "$2"',
    'chown -R 0:0 "$2/usr/lib/millrace" "$2/etc/systemd/system" "$2/etc/cloud" "$2/etc/millrace"',
    'rm -rf "$2/var/log/journal" "$2/etc/fstab"',
    'shift 3; exec "$@"',
  ].join("\n");
  await makeDiskImage({
    directory: root,
    targetPath: join(output, "base.qcow2"),
    bytes: debianDiskBytes,
    before: ["sh", "-c", script, "sh", archive, root, overlay],
    signal,
  });
  await runAsRoot(["rm", "-rf", root], work, signal);
  await rm(archive);
}

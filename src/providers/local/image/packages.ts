/**
 * Debian packages for the guests, fetched with apt and unpacked with dpkg-deb: no rights needed,
 * nothing installed. apt checks the signatures of the lists and the hashes of the packages.
 *
 * The machine's own package lists are tried first; where they are missing or stale, lists of our
 * own are fetched into the work directory.
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import { runProgram } from "./program.ts";
import { isDiskFull } from "./room.ts";

export interface Fetched {
  /** Directory that holds the .deb files. */
  readonly directory: string;
  /** File names, which carry name, version and architecture; sorted. */
  readonly files: readonly string[];
}

export async function fetchPackages(
  workDirectory: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Fetched> {
  const directory = join(workDirectory, "packages");
  await mkdir(directory, { recursive: true });
  const attempts = [
    () => Promise.resolve<readonly string[]>(["-o", "APT::Sandbox::User=root"]),
    () => ownLists(workDirectory, signal),
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      await download(directory, names, await attempt(), signal);
      const files = (await readdir(directory)).filter((name) => name.endsWith(".deb"));
      return { directory, files: files.toSorted() };
    } catch (error) {
      if (signal.aborted || isDiskFull(error)) throw error;
      failure = error;
    }
  }
  throw new ProviderError(
    "unavailable",
    `The Debian packages of the guest images cannot be downloaded (${names.join(", ")}). ` +
      "Check the network and the sources in /etc/apt, then try again; images that are built " +
      "already need no network.",
    { effect: "none", cause: failure },
  );
}

/** Unpacks a package's files into a directory. */
export async function unpackPackage(
  file: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  await runProgram("dpkg-deb", ["--extract", file, directory], { signal });
}

async function download(
  directory: string,
  names: readonly string[],
  options: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const exact: string[] = [];
  for (const name of names) {
    exact.push(name === kernelPackage ? await kernelOf(name, options, signal) : name);
  }
  await runProgram("apt-get", [...options, "-q", "download", ...exact], { signal, directory });
}

export const kernelPackage = "linux-image-cloud-amd64";

/** The package that the newest-kernel package stands for. */
async function kernelOf(
  name: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const text = await runProgram("apt-cache", [...options, "depends", name], { signal });
  const found = /Depends: (linux-image-\S+)/.exec(text)?.[1];
  if (found !== undefined) return found;
  throw new ProviderError("unavailable", `The package lists know no ${name}.`, { effect: "none" });
}

async function ownLists(workDirectory: string, signal: AbortSignal): Promise<readonly string[]> {
  const state = join(workDirectory, "apt");
  for (const folder of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(state, folder), { recursive: true });
  }
  const options = [
    ["-o", `Dir::State::lists=${join(state, "lists")}`],
    ["-o", `Dir::Cache=${join(state, "cache")}`],
    ["-o", "APT::Sandbox::User=root"],
    ["-o", "Acquire::Retries=3"],
  ].flat();
  await runProgram("apt-get", [...options, "-q", "update"], { signal });
  return options;
}

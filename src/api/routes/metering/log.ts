/**
 * The metering log for everybody: its checkpoint, its key and its hash tiles, without a login. They
 * say how much was used by somebody, and nothing of whom or what.
 */
import type { Bytes, Handlers } from "#api/handler.ts";
import { latestCheckpoint, logKey, logSize, storedTiles } from "#flow/meter/log-store.ts";
import { consistencyHashes } from "#flow/meter/proofs.ts";
import { Failure } from "#kernel/failure.ts";
import { hashLength } from "#tlog/hash.ts";
import { parseTilePath, tileWidth } from "#tlog/tile.ts";

/** Anybody may check the log, from any page. */
const open = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
} as const;
const text = "text/plain; charset=utf-8";

export const logHandlers = {
  getLogCheckpoint: async (_input, { db }) => {
    const checkpoint = await latestCheckpoint(db);
    if (checkpoint === undefined) {
      throw new Failure("not_found", "The metering log has no checkpoint yet: nothing was used.");
    }
    return answer(text, Buffer.from(checkpoint.note), "no-cache");
  },

  getLogKey: async (_input, { db }) => {
    const key = await logKey(db);
    if (key === undefined) throw new Failure("not_found", "The metering log has no key yet.");
    return answer(text, Buffer.from(`${key}\n`), "no-cache");
  },

  getLogTile: async ({ params }, { db }) => {
    const name = parseTilePath(`tile/${params.tile}`);
    const stored =
      name === undefined ? undefined : (await storedTiles(db, [name]))(name.level, name.index);
    const bytes = name === undefined ? undefined : stored?.subarray(0, name.width * hashLength);
    if (name === undefined || bytes === undefined || bytes.length < name.width * hashLength) {
      throw new Failure("not_found", "The metering log has no such tile.");
    }
    // A tile of a width never changes; partial ones are of no more use once there is a wider one.
    const caching =
      name.width === tileWidth ? "public, max-age=31536000, immutable" : "public, max-age=3600";
    return answer("application/octet-stream", bytes, caching);
  },

  getLogConsistency: async ({ query }, { db }) => {
    const { from, to } = query;
    const size = await logSize(db);
    if (from > to || to > size) {
      throw new Failure(
        "invalid_request",
        `The sizes must ascend and be no larger than the log, which has ${size} leaves.`,
        { details: { from, to, size } },
      );
    }
    const hashes = await consistencyHashes(db, { older: from, newer: to });
    return { from, to, hashes: hashes.map((hash) => Buffer.from(hash).toString("base64")) };
  },
} satisfies Partial<Handlers>;

function answer(contentType: string, body: Uint8Array, caching: string): Bytes {
  return {
    contentType,
    body,
    contentLength: body.length,
    headers: { ...open, "cache-control": caching },
  };
}

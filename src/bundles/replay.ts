/**
 * Makes a month's bill again from its events, on the server, and compares it with the one that is
 * stored: byte for byte where the month is closed, with what is shown by now where it is not. It is
 * the check that a customer does at home, run on our own tables.
 */
import { buffer } from "node:stream/consumers";

import type { Db } from "#db/pool.ts";
import type { LocalMonth } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { verifyBundle, type Verdict } from "#verify/verify.ts";

import { exportBundle } from "./export.ts";

/** Of one replay, which keeps this process busy; a larger month is checked where the customer is. */
const bytesMax = 100_000_000;

export async function replayMonth(
  db: Db,
  ask: { readonly tenantId: string; readonly month: LocalMonth },
): Promise<Verdict> {
  const chunks = limited(await exportBundle(db, { ...ask, keptSize: undefined }));
  const crypto = { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify };
  const trust = { key: undefined, checkpoint: undefined };
  return verifyBundle(new Uint8Array(await buffer(chunks)), { crypto, trust });
}

async function* limited(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new Failure(
        "payload_too_large",
        "The month has too many events to be replayed here. Download its bundle and run: millrace verify BUNDLE.",
      );
    }
    yield chunk;
  }
}

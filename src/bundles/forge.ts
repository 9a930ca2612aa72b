/**
 * For tests: a bundle taken apart, changed, and put together again with digests that are right, as
 * somebody would do it who wants to be believed.
 */
import { z } from "zod";

import { present } from "#kernel/assert.ts";
import { toBase64 } from "#tlog/base64.ts";
import { nodeHasher, nodeSha256 } from "#tlog/node-crypto.ts";
import { BundleWriter } from "#verify/write.ts";

type Json = Record<string, unknown>;
const json = z.record(z.string(), z.unknown());

export interface Parts {
  records: Json[];
  events: string[];
}

export function forge(bytes: Uint8Array, change: (parts: Parts) => void): Uint8Array {
  const parts = partsOf(bytes);
  change(parts);
  const writer = new BundleWriter(nodeSha256);
  const written: Uint8Array[] = [];
  for (const record of parts.records) {
    written.push(writer.plain(record));
  }
  return new Uint8Array(Buffer.concat([...written, writer.events(parts.events), writer.end()]));
}

export function partsOf(bytes: Uint8Array): Parts {
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  const records: Json[] = [];
  let events: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const record = json.parse(JSON.parse(lines[at] ?? ""));
    if (record["record"] === "end") break;
    records.push(record);
    if (record["record"] !== "events") continue;
    events = lines.slice(at + 1, at + 1 + Number(record["count"]));
    at += events.length;
  }
  return { records, events };
}

/** The one record of a kind that `which` chooses. */
export function recordOf(parts: Parts, kind: string, which?: (record: Json) => boolean): Json {
  const found = parts.records.find((each) => each["record"] === kind && which?.(each) !== false);
  return present(found, `a record ${kind}`);
}

/** With its leaf hash made anew, so that event and leaf agree. */
export function changeEvent(parts: Parts, at: number, change: (text: string) => string): void {
  parts.events[at] = change(present(parts.events[at], "an event"));
  const leaves = recordOf(parts, "leaves");
  const hashes = Buffer.from(String(leaves["hashes"]), "base64");
  hashes.set(nodeHasher().leafOfText(parts.events[at]), at * 32);
  leaves["hashes"] = toBase64(hashes);
}

/** Its leaf and its hash with it. */
export function dropEvent(parts: Parts, at: number): void {
  parts.events.splice(at, 1);
  const leaves = recordOf(parts, "leaves");
  const indexes = z.array(z.number()).parse(leaves["indexes"]);
  const hashes = Buffer.from(String(leaves["hashes"]), "base64");
  leaves["indexes"] = indexes.toSpliced(at, 1);
  leaves["hashes"] = Buffer.concat([
    hashes.subarray(0, at * 32),
    hashes.subarray((at + 1) * 32),
  ]).toString("base64");
  const events = recordOf(parts, "events");
  events["count"] = Number(events["count"]) - 1;
}

/**
 * Reads the bytes of a bundle. Each record's digest is compared with the one at the end, so that a
 * damaged record is named by its line; that the records are true is for the other files to find out.
 */
import { toBase64 } from "#tlog/base64.ts";
import { sameBytes, type Sha256 } from "#tlog/hash.ts";
import { canonicalJson } from "#tlog/leaf.ts";
import { decodeText } from "#tlog/note.ts";

import { readEvent } from "./event-line.ts";
import type { Findings } from "./findings.ts";
import {
  anyRecord,
  digestBytes,
  recordKinds,
  type BundleRecord,
  type RecordKind,
  type RecordOf,
} from "./format.ts";
import { digestOf, packed, sealOf } from "./write.ts";

export interface EventBytes {
  readonly bytes: Uint8Array;
  /** Where each begins; one more, where the next would. */
  readonly starts: readonly number[];
}

export interface Bundle {
  readonly header: RecordOf<"bundle">;
  readonly all: <K extends RecordKind>(kind: K) => readonly RecordOf<K>[];
  readonly leafIndexes: readonly number[];
  /** Packed. */
  readonly leafHashes: Uint8Array;
  readonly events: EventBytes;
  /** Line of the file that the first event stands in, counted from 1. */
  readonly eventsLine: number;
}

const newline = 0x0a;
const noEvents: EventBytes = { bytes: new Uint8Array(0), starts: [0] };

/** `undefined` where there is nothing to go on with; the findings say why. */
export function readBundle(
  bytes: Uint8Array,
  sha256: Sha256,
  findings: Findings,
): Bundle | undefined {
  const records: BundleRecord[] = [];
  const digests: Uint8Array[] = [];
  const places: string[] = [];
  let events = noEvents;
  let eventsLine = 0;
  let at = 0;
  for (let line = 1; at < bytes.length; line += 1) {
    const until = bytes.indexOf(newline, at);
    const found = until === -1 ? undefined : recordIn(bytes.subarray(at, until));
    const problem = typeof found === "object" ? misplaced(found, records) : (found ?? "it is cut");
    if (typeof found !== "object" || problem !== undefined) {
      sayBadEvent(events, eventsLine, findings);
      findings.fail("malformed", `line ${line} of the file`, { what: problem ?? "" });
      return undefined;
    }
    records.push(found);
    if (found.record !== "end") {
      digests.push(digestOf(sha256, bytes.subarray(at, until)));
      places.push(`line ${line} of the file (${nameOf(found)})`);
    }
    at = until + 1;
    if (found.record === "events") {
      events = eventsFrom(bytes, at, found.count);
      eventsLine = line + 1;
      const read = events.starts.length - 1;
      if (read < found.count) {
        sayBadEvent(events, eventsLine, findings);
        const values = { wanted: found.count, found: read };
        findings.fail("events_missing", `line ${line + read} of the file`, values);
        return undefined;
      }
      at += events.starts.at(-1) ?? 0;
      line += read;
    }
  }
  const end = records.at(-1);
  const [header] = records;
  if (header?.record !== "bundle" || end?.record !== "end") {
    findings.fail("malformed", "the end of the file", { what: "it is cut, or is no bundle" });
    return undefined;
  }
  compareDigests({ end, digests, places, sha256 }, findings);
  return bundleOf(header, records, { events, eventsLine });
}

/** Where the lines do not add up, an event has become two, or two have become one. */
function sayBadEvent({ bytes, starts }: EventBytes, firstLine: number, findings: Findings): void {
  const latin1 = new TextDecoder("latin1");
  for (let at = 0; at + 1 < starts.length; at += 1) {
    const event = bytes.subarray(starts[at], (starts[at + 1] ?? 0) - 1);
    if (readEvent(latin1.decode(event)) !== undefined) continue;
    findings.fail("event_malformed", `line ${firstLine + at} of the file`);
    return;
  }
}

/** A record, or why it is none. */
function recordIn(line: Uint8Array): BundleRecord | string {
  const text = decodeText(line);
  if (text === undefined) return "it is no UTF-8";
  const json = jsonOf(text);
  if (json === undefined) return "it is no JSON";
  const parsed = anyRecord.safeParse(json.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown record"}`;
  }
  return canonicalJson(json.value) === text
    ? parsed.data
    : "it is not in canonical form (RFC 8785)";
}

function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const many: readonly RecordKind[] = [
  "checkpoint",
  "consistency",
  "profile",
  "contract",
  "tier",
  "package",
  "order",
  "line",
  "leaves",
];

function misplaced(found: BundleRecord, before: readonly BundleRecord[]): string | undefined {
  const last = before.at(-1);
  if (last === undefined) return found.record === "bundle" ? undefined : "it is no bundle";
  const [rank, lastRank] = [recordKinds.indexOf(found.record), recordKinds.indexOf(last.record)];
  if (last.record === "end" || rank < lastRank) return `${found.record} comes after ${last.record}`;
  if (rank === lastRank && !many.includes(found.record)) return `a second ${found.record}`;
  return undefined;
}

/**
 * Where each event begins. Most are as long as one of the last few, so that is looked at first; a
 * newline before that is in the event then, and no event has one.
 */
function eventsFrom(bytes: Uint8Array, from: number, count: number): EventBytes {
  const starts = [0];
  const lengths = new Int32Array(lengthsKept);
  let at = from;
  for (let next = 0; starts.length <= count;) {
    let until = -1;
    for (let each = 0; each < lengthsKept && until === -1; each += 1) {
      const length = lengths[each] ?? 0;
      if (length > 0 && bytes[at + length] === newline) until = at + length;
    }
    if (until === -1) {
      until = bytes.indexOf(newline, at);
      if (until === -1) break;
      lengths[next] = until - at;
      next = (next + 1) % lengthsKept;
    }
    at = until + 1;
    starts.push(at - from);
  }
  return { bytes: bytes.subarray(from, at), starts };
}

const lengthsKept = 8;

/** For people: which record it is. */
function nameOf(record: BundleRecord): string {
  switch (record.record) {
    case "line":
      return `line ${record.day} ${record.sku}`;
    case "profile":
      return `price profile ${record.name} v${record.version}`;
    case "order":
      return `order item ${record.id}`;
    case "contract":
      return `contract price of ${record.sku}`;
    case "package":
      return `package ${record.id}`;
    case "leaves":
      return `leaves from ${record.indexes[0] ?? "none"}`;
    case "bundle":
    case "key":
    case "checkpoint":
    case "consistency":
    case "tier":
    case "uncounted":
    case "after":
    case "invoice":
    case "statement":
    case "inclusion":
    case "events":
    case "end":
      return record.record;
  }
  return "";
}

interface Digested {
  readonly end: RecordOf<"end">;
  readonly digests: readonly Uint8Array[];
  readonly places: readonly string[];
  readonly sha256: Sha256;
}

function compareDigests({ end, digests, places, sha256 }: Digested, findings: Findings): void {
  const isSealed = sealOf(sha256, toBase64(end.digests)) === end.seal;
  if (!isSealed || end.digests.length !== digests.length * digestBytes) {
    findings.fail("damaged", "the last line of the file (end)");
  }
  for (const [index, digest] of digests.entries()) {
    const written = end.digests.subarray(index * digestBytes, (index + 1) * digestBytes);
    if (!sameBytes(digest, written)) findings.fail("damaged", places[index] ?? "");
  }
}

function bundleOf(
  header: RecordOf<"bundle">,
  records: readonly BundleRecord[],
  read: Pick<Bundle, "events" | "eventsLine">,
): Bundle {
  const leaves = records.filter(isOf("leaves"));
  return {
    ...read,
    header,
    all: (kind) => records.filter(isOf(kind)),
    leafIndexes: leaves.flatMap(({ indexes }) => indexes),
    leafHashes: packed(leaves.map(({ hashes }) => hashes)),
  };
}

function isOf<K extends RecordKind>(kind: K) {
  return (record: BundleRecord): record is RecordOf<K> => record.record === kind;
}

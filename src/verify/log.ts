/**
 * The log's part of a bundle: the key, signed checkpoints, that each goes on from the one before and
 * from one that the customer kept, and that the events are leaves of the newest.
 */
import { openCheckpoint, type Checkpoint } from "#tlog/checkpoint.ts";
import { hashLength, sameBytes, type TreeHasher } from "#tlog/hash.ts";
import { formatKey, parseKey, type Ed25519Verify, type NoteKey } from "#tlog/keys.ts";
import { toBase64 } from "#tlog/base64.ts";
import { checkMultiProof } from "#tlog/multi-proof.ts";
import { checkConsistency } from "#tlog/proof.ts";
import type { Sha256 } from "#tlog/hash.ts";

import type { Findings } from "./findings.ts";
import type { Bundle } from "./read.ts";

/** What a place brings along: SHA-256 and Ed25519 of Node, or those of a browser. */
export interface Crypto {
  readonly sha256: Sha256;
  readonly hasher: TreeHasher;
  readonly verify: Ed25519Verify;
}

/** Where trust comes from. */
export interface Trust {
  /** The log's key, as text; else the bundle's own is used, which is said. */
  readonly key: string | undefined;
  /** A signed checkpoint of earlier, or of somebody else. */
  readonly checkpoint: string | undefined;
}

export interface CheckedLog {
  readonly key: NoteKey | undefined;
  /** Signed ones, by size. */
  readonly checkpoints: readonly Checkpoint[];
}

export function checkLog(
  bundle: Bundle,
  { crypto, trust }: { readonly crypto: Crypto; readonly trust: Trust },
  findings: Findings,
): CheckedLog {
  const key = trustedKey(bundle, { crypto, trust }, findings);
  const notes = bundle.all("checkpoint");
  if (key === undefined) {
    if (notes.length > 0 || bundle.leafIndexes.length > 0) findings.fail("no_key", "key");
    return { key, checkpoints: [] };
  }
  const open = (note: string, place: string): Checkpoint | undefined =>
    opened({ note, place, key }, crypto, findings);
  const checkpoints = notes
    .map(({ note }, index) => open(note, `checkpoint ${index + 1}`))
    .filter((each) => each !== undefined);
  for (const [index, newer] of checkpoints.entries()) {
    const older = checkpoints[index - 1];
    if (older !== undefined) compare({ older, newer, bundle, crypto }, findings);
  }
  if (trust.checkpoint === undefined) findings.note("no_outside_checkpoint");
  else {
    const kept = open(trust.checkpoint, "your checkpoint");
    if (kept !== undefined) compareKept({ kept, checkpoints, bundle, crypto }, findings);
  }
  return { key, checkpoints };
}

function trustedKey(
  bundle: Bundle,
  { crypto, trust }: { readonly crypto: Crypto; readonly trust: Trust },
  findings: Findings,
): NoteKey | undefined {
  const own = bundle.all("key")[0]?.key;
  const wanted = trust.key ?? own;
  const key = wanted === undefined ? undefined : parseKey(crypto.sha256, wanted.trim());
  if (wanted !== undefined && key?.kind !== "log") {
    findings.fail("malformed", "key", { what: "the key is not that of a log" });
    return undefined;
  }
  if (trust.key === undefined) {
    if (key !== undefined) findings.note("own_key", { key: formatKey(key) });
  } else if (own !== undefined && own !== trust.key.trim()) {
    findings.fail("wrong_key", "key", { found: own, wanted: trust.key.trim() });
  }
  return key;
}

function opened(
  of: { readonly note: string; readonly place: string; readonly key: NoteKey },
  crypto: Crypto,
  findings: Findings,
): Checkpoint | undefined {
  const { note, place, key } = of;
  const found = openCheckpoint(note, { verify: crypto.verify, logKey: key });
  switch (found.kind) {
    case "signed":
      return found.checkpoint;
    case "forged":
      findings.fail("forged", place, { key: formatKey(key) });
      return undefined;
    case "not_signed_by_log":
      findings.fail("not_signed", place, { key: formatKey(key) });
      return undefined;
    case "other_log":
      findings.fail("other_log", place, { found: note.split("\n", 1)[0] ?? "", wanted: key.name });
      return undefined;
    case "malformed":
      findings.fail("bad_checkpoint", place);
      return undefined;
  }
  return undefined;
}

interface Pair {
  readonly older: Checkpoint;
  readonly newer: Checkpoint;
  readonly bundle: Bundle;
  readonly crypto: Crypto;
}

function compare({ older, newer, bundle, crypto }: Pair, findings: Findings): void {
  const [from, to] = [older.size, newer.size];
  const place = `checkpoints ${from} and ${to}`;
  if (from === to) {
    const values = { size: from, one: toBase64(older.root), other: toBase64(newer.root) };
    if (!sameBytes(older.root, newer.root)) findings.fail("fork", place, values);
    return;
  }
  // Every tree goes on from the empty one.
  if (from === 0) return;
  const proof = bundle.all("consistency").find((each) => each.from === from && each.to === to);
  if (proof === undefined) {
    findings.fail("no_proof", place, { from, to });
    return;
  }
  const why = checkConsistency(crypto.hasher, { older, newer, proof: proof.hashes });
  if (why !== "proved") findings.fail("inconsistent", place, { from, to, why });
}

/** With the one of its size, or the next that the bundle can prove it to go on to. */
function compareKept(
  of: {
    readonly kept: Checkpoint;
    readonly checkpoints: readonly Checkpoint[];
    readonly bundle: Bundle;
    readonly crypto: Crypto;
  },
  findings: Findings,
): void {
  const { kept, checkpoints, bundle, crypto } = of;
  const newest = checkpoints.at(-1);
  if (newest === undefined) {
    findings.fail("no_checkpoint", "your checkpoint");
    return;
  }
  if (kept.size > newest.size) {
    const values = { kept: kept.size, newest: newest.size };
    findings.fail("truncated", "your checkpoint", values);
    return;
  }
  const proved = new Set(
    bundle.all("consistency").flatMap(({ from, to }) => (from === kept.size ? [to] : [])),
  );
  const next =
    checkpoints.find(({ size }) => size === kept.size) ??
    checkpoints.find(({ size }) => proved.has(size)) ??
    newest;
  compare({ older: kept, newer: next, bundle, crypto }, findings);
}

/**
 * That the leaves are in the newest tree. Each event was compared with its leaf before, so here it is
 * the leaves that are proved.
 */
export function checkInclusion(
  bundle: Bundle,
  { hasher, newest }: { readonly hasher: TreeHasher; readonly newest: Checkpoint | undefined },
  findings: Findings,
): void {
  const { leafIndexes: indexes, leafHashes } = bundle;
  if (indexes.length === 0) return;
  if (newest === undefined) {
    findings.fail("no_checkpoint", "events");
    return;
  }
  const { size, root } = newest;
  const [first = 0, last = 0] = [indexes[0], indexes.at(-1)];
  const place = `leaves ${first} to ${last}`;
  const proof = bundle.all("inclusion")[0];
  const why =
    leafHashes.length !== indexes.length * hashLength || proof === undefined
      ? "wrong_length"
      : proof.size !== size
        ? "wrong_size"
        : checkMultiProof(hasher, { size, root, indexes, leafHashes, proof: proof.hashes });
  if (why !== "proved") findings.fail("not_in_log", place, { first, last, size, why });
}

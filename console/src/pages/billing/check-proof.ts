/**
 * Checks the proof of one event in the browser: the event's bytes and salt make the leaf, the leaf leads
 * to the root, and the log's key signed the root.
 */
import { fromBase64 } from "#tlog/base64.ts";
import { openCheckpoint } from "#tlog/checkpoint.ts";
import { parseKey } from "#tlog/keys.ts";
import { leafText, saltBytes } from "#tlog/leaf.ts";
import { checkInclusion } from "#tlog/proof.ts";

import { browserHasher, browserSha256, Signatures } from "./verify/browser-crypto.ts";

export interface GivenProof {
  readonly proof: {
    readonly leafIndex: number;
    readonly size: number;
    readonly hashes: readonly string[];
    readonly checkpoint: string;
  };
  /** `undefined` where it was not found: then nothing ties the leaf to it. */
  readonly event: { readonly event: string; readonly salt: string } | undefined;
  readonly keyText: string;
}

export type ProofFinding = "proved" | "not_signed" | "other_leaf" | "not_in_log" | "unchecked";

export async function checkProof(
  { proof, event, keyText }: GivenProof,
  subtle: SubtleCrypto | undefined,
): Promise<ProofFinding> {
  if (subtle === undefined) return "unchecked";
  const logKey = parseKey(browserSha256, keyText.trim());
  if (logKey === undefined) return "not_signed";
  const signatures = new Signatures();
  openCheckpoint(proof.checkpoint, { verify: signatures.gather, logKey });
  await signatures.answer(subtle);
  const opened = openCheckpoint(proof.checkpoint, { verify: signatures.verify, logKey });
  if (opened.kind !== "signed" || opened.checkpoint.size !== proof.size) return "not_signed";
  const salt = event === undefined ? undefined : fromBase64(event.salt);
  if (event === undefined || salt?.length !== saltBytes) return "other_leaf";
  const hasher = browserHasher();
  const hashes = proof.hashes.map((each) => fromBase64(each) ?? new Uint8Array(0));
  const outcome = checkInclusion(hasher, {
    index: proof.leafIndex,
    size: proof.size,
    leafHash: hasher.leafOfText(leafText(event.event, salt)),
    root: opened.checkpoint.root,
    proof: hashes,
  });
  return outcome === "proved" ? "proved" : "not_in_log";
}

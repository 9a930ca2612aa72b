/**
 * Writes a bundle, record after record, as bytes. The same records give the same bytes. It keeps only
 * the digests of the records, so a bundle of any size can be streamed.
 */
import { assert } from "#kernel/assert.ts";
import { toBase64 } from "#tlog/base64.ts";
import { hashLength, type Sha256 } from "#tlog/hash.ts";
import { hexOf } from "#tlog/keys.ts";
import { canonicalJson } from "#tlog/leaf.ts";

import { digestBytes, type WrittenRecord } from "./format.ts";

export class BundleWriter {
  readonly #sha256: Sha256;
  readonly #encoder = new TextEncoder();
  readonly #digests: Uint8Array[] = [];

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  record(record: WrittenRecord): Uint8Array {
    return this.plain(record);
  }

  /** A record that may be none, for tests of what is refused. */
  plain(record: object): Uint8Array {
    const line = this.#encoder.encode(canonicalJson(record));
    this.#digests.push(digestOf(this.#sha256, line));
    return packed([line, newline]);
  }

  /** Leaves, by index, each its text. */
  events(leaves: readonly string[]): Uint8Array {
    return this.#encoder.encode(leaves.map((leaf) => `${leaf}\n`).join(""));
  }

  /** After the last event. */
  end(): Uint8Array {
    const digests = toBase64(packed(this.#digests));
    const seal = sealOf(this.#sha256, digests);
    return this.#encoder.encode(`${canonicalJson({ digests, record: "end", seal })}\n`);
  }
}

const newline = Uint8Array.of(0x0a);

/** Of a record's line, without the newline. */
export function digestOf(sha256: Sha256, line: Uint8Array): Uint8Array {
  const digest = new Uint8Array(hashLength);
  sha256(line, digest, 0);
  return digest.subarray(0, digestBytes);
}

export function sealOf(sha256: Sha256, digests: string): string {
  return sha256Hex(sha256, digests);
}

export function sha256Hex(sha256: Sha256, text: string): string {
  const digest = new Uint8Array(hashLength);
  sha256(new TextEncoder().encode(text), digest, 0);
  return hexOf(digest);
}

export function packed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  assert(at === length, "all parts are in the whole");
  return whole;
}

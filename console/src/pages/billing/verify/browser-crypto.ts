/**
 * SHA-256 and Ed25519 for the check of a bundle in a browser. The check asks for both at once and
 * goes on; Web Crypto answers later. So SHA-256 is a library's, and signatures are asked about in a
 * first pass over the log's part, answered by Web Crypto, and known in the pass that counts.
 */
import { sha256 as sha256Of } from "@noble/hashes/sha2.js";

import { TreeHasher, type Sha256 } from "#tlog/hash.ts";
import { hexOf, type Ed25519Verify } from "#tlog/keys.ts";

export const browserSha256: Sha256 = (data, target, at) => {
  target.set(sha256Of(data), at);
};

export function browserHasher(): TreeHasher {
  return new TreeHasher(browserSha256);
}

interface Question {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Answers from a list; what is not on it is not signed. */
export class Signatures {
  readonly #asked = new Map<string, Question>();
  readonly #answers = new Map<string, boolean>();

  /** Says yes to all, so that the pass comes by every signature there is; believe nothing of it. */
  readonly gather: Ed25519Verify = (publicKey, message, signature) => {
    this.#asked.set(nameOf({ publicKey, message, signature }), { publicKey, message, signature });
    return true;
  };

  readonly verify: Ed25519Verify = (publicKey, message, signature) =>
    this.#answers.get(nameOf({ publicKey, message, signature })) === true;

  /** How many are right. Throws where the browser has no Ed25519 (or no Web Crypto: plain http). */
  async answer(subtle: SubtleCrypto | undefined): Promise<number> {
    if (subtle === undefined) throw new NoWebCrypto();
    let right = 0;
    for (const [name, { publicKey, message, signature }] of this.#asked) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      const key = await subtle.importKey("raw", copied(publicKey), "Ed25519", false, ["verify"]);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const isRight = await subtle.verify("Ed25519", key, copied(signature), copied(message));
      this.#answers.set(name, isRight);
      if (isRight) right += 1;
    }
    return right;
  }
}

/** Browsers give Web Crypto to pages of https and of the machine itself only. */
export class NoWebCrypto extends Error {
  override readonly name = "NoWebCrypto";
}

function nameOf({ publicKey, message, signature }: Question): string {
  return [publicKey, message, signature].map((each) => hexOf(each)).join(".");
}

/** Web Crypto takes bytes of their own memory only. */
function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

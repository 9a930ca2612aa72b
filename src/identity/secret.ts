/**
 * API secrets: `mrk_<prefix>_<256 random bits>`. The prefix is public: it finds the row and lets a
 * person recognize the key. Only the SHA-256 of the whole is stored; for 256 random bits a slow
 * hash would protect nothing and cost every request.
 */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

import type { Brand } from "#kernel/brand.ts";

/** Text of the right form; whether a key has it is for the database to say. */
export type Secret = Brand<string, "Secret">;

const pattern = /^mrk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const prefixBytes = 6;
const randomPartBytes = 32;
const sealingKeyBytes = 32;

export function isSecret(text: string): text is Secret {
  return pattern.test(text);
}

export interface NewSecret {
  readonly secret: string;
  readonly prefix: string;
  readonly hash: Buffer;
}

export function newSecret(): NewSecret {
  const prefix = randomBytes(prefixBytes).toString("hex");
  const secret = `mrk_${prefix}_${randomBytes(randomPartBytes).toString("base64url")}`;
  return { secret, prefix, hash: hashOf(secret) };
}

export function prefixOf(secret: Secret): string {
  return secret.slice("mrk_".length, "mrk_".length + 2 * prefixBytes);
}

/** How a prefix is shown. */
export function shownPrefix(prefix: string): string {
  return `mrk_${prefix}`;
}

export function matches(secret: Secret, hash: Uint8Array): boolean {
  return timingSafeEqual(hashOf(secret), hash);
}

/** A key that only the holder of the secret can make; the stored hash does not lead to it. */
export function sealingKeyOf(secret: Secret, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", purpose, sealingKeyBytes));
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

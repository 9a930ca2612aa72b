/**
 * Secrets: `mrk_<prefix>_<256 random bits>` of an API key, `mrs_…` of a session. The prefix is
 * public: it finds the row and lets a person recognize the key. Only the SHA-256 of the whole is
 * stored; for 256 random bits a slow hash would protect nothing and cost every request. Codes
 * (`mrc_<256 random bits>`) are found by their hash.
 */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

import type { Brand } from "#kernel/brand.ts";

/** Text of the right form; whether a key or a session has it is for the database to say. */
export type Secret = Brand<string, "Secret">;

const patterns = {
  key: /^mrk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/,
  session: /^mrs_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/,
} as const;
const startOf = { key: "mrk_", session: "mrs_" } as const;
/** What a secret is of. */
export type SecretKind = keyof typeof startOf;
const prefixBytes = 6;
const randomPartBytes = 32;
const sealingKeyBytes = 32;

export function isSecretOf(kind: SecretKind, text: string): text is Secret {
  return patterns[kind].test(text);
}

export function kindOf(secret: Secret): SecretKind {
  return secret.startsWith(startOf.key) ? "key" : "session";
}

export interface NewSecret {
  readonly secret: string;
  readonly prefix: string;
  readonly hash: Buffer;
}

export function newSecret(kind: SecretKind): NewSecret {
  const prefix = randomBytes(prefixBytes).toString("hex");
  const secret = `${startOf[kind]}${prefix}_${randomBytes(randomPartBytes).toString("base64url")}`;
  return { secret, prefix, hash: hashOf(secret) };
}

export function prefixOf(secret: Secret): string {
  const { length } = startOf.key;
  return secret.slice(length, length + 2 * prefixBytes);
}

export interface NewCode {
  readonly code: string;
  readonly hash: Buffer;
}

export function newCode(): NewCode {
  const code = `mrc_${randomBytes(randomPartBytes).toString("base64url")}`;
  return { code, hash: hashOf(code) };
}

/** How the prefix of a key is shown. */
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

/** By which a code is found: of 256 random bits, so that looking for it tells nothing. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/**
 * Keys of signed notes: a name, a 32-bit id that is part of every signature, the kind of signature
 * and an Ed25519 key, written as `name+id+base64` (C2SP signed-note, "verifier key").
 */
import { assert } from "#kernel/assert.ts";

import { fromBase64, toBase64 } from "./base64.ts";
import { hashLength, type Sha256 } from "./hash.ts";

export const keyIdBytes = 4;
const publicKeyBytes = 32;
const seedBytes = 32;
const nameCharactersMax = 200;
const keyCharactersMax = 400;

/** Ed25519 (RFC 8032): is it the signature of the message under the key of 32 bytes? */
export type Ed25519Verify = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** The bytes that C2SP assigned to kinds of signatures. */
const algorithmBytes = { log: 0x01, cosigner: 0x04 } as const;

/** `log`: signs the text. `cosigner`: signs the text with a time, having seen the log grow. */
export type KeyKind = keyof typeof algorithmBytes;

export interface NoteKey {
  readonly name: string;
  readonly kind: KeyKind;
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly publicKey: Uint8Array;
}

export interface Signer {
  readonly key: NoteKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** No space of any kind, no plus: both end a name where one is written. */
export function isKeyName(name: string): boolean {
  return name.length <= nameCharactersMax && /^[^\s\u0085+]+$/u.test(name) && name.isWellFormed();
}

export function noteKey(
  sha256: Sha256,
  of: { readonly name: string; readonly kind: KeyKind; readonly publicKey: Uint8Array },
): NoteKey {
  assert(isKeyName(of.name), "a key's name has no space and no plus");
  assert(of.publicKey.length === publicKeyBytes, "an Ed25519 key has 32 bytes");
  const name = new TextEncoder().encode(`${of.name}\n`);
  const digest = new Uint8Array(hashLength);
  sha256(Uint8Array.from([...name, algorithmBytes[of.kind], ...of.publicKey]), digest, 0);
  return { ...of, id: hexOf(digest.subarray(0, keyIdBytes)) };
}

/** "example.com/log+33d7b496+AeHTu4Q3…" */
export function formatKey({ name, kind, id, publicKey }: NoteKey): string {
  return `${name}+${id}+${toBase64(Uint8Array.from([algorithmBytes[kind], ...publicKey]))}`;
}

const keyPattern = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;

/** `undefined` for anything else, and where the id is not that of the name and the key. */
export function parseKey(sha256: Sha256, text: string): NoteKey | undefined {
  if (text.length > keyCharactersMax) return undefined;
  const [, name = "", id = "", encoded = ""] = keyPattern.exec(text) ?? [];
  const material = fromBase64(encoded);
  if (!isKeyName(name) || material?.length !== 1 + publicKeyBytes) return undefined;
  const kind = kindOf(material[0]);
  if (kind === undefined) return undefined;
  const key = noteKey(sha256, { name, kind, publicKey: material.subarray(1) });
  return key.id === id ? key : undefined;
}

const privatePattern = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;

/** "PRIVATE+KEY+name+id+base64": the seed of a key that signs. */
export function parsePrivateKey(
  text: string,
): { readonly name: string; readonly kind: KeyKind; readonly seed: Uint8Array } | undefined {
  if (text.length > keyCharactersMax) return undefined;
  const [, name = "", , encoded = ""] = privatePattern.exec(text) ?? [];
  const material = fromBase64(encoded);
  if (!isKeyName(name) || material?.length !== 1 + seedBytes) return undefined;
  const kind = kindOf(material[0]);
  return kind === undefined ? undefined : { name, kind, seed: material.subarray(1) };
}

export function formatPrivateKey({ name, kind, id }: NoteKey, seed: Uint8Array): string {
  const material = toBase64(Uint8Array.from([algorithmBytes[kind], ...seed]));
  return `PRIVATE+KEY+${name}+${id}+${material}`;
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function kindOf(byte: number | undefined): KeyKind | undefined {
  if (byte === algorithmBytes.log) return "log";
  return byte === algorithmBytes.cosigner ? "cosigner" : undefined;
}

/**
 * Signed notes (C2SP signed-note): a text, an empty line, and signature lines. The text must be
 * ignored until a key that the reader trusts has signed it; signatures of keys that he does not
 * know are skipped, a wrong one of a key that he knows refuses the note whole.
 */
import { fromBase64, toBase64 } from "./base64.ts";
import {
  hexOf,
  isKeyName,
  keyIdBytes,
  type Ed25519Verify,
  type NoteKey,
  type Signer,
} from "./keys.ts";

const noteCharactersMax = 200_000;
const signaturesMax = 100;
const signatureBytes = 64;
const timeBytes = 8;
const dash = "\u2014";

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  /** Without the key's id. */
  readonly signature: Uint8Array;
}

export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Bytes to a note's text; `undefined` where they are no UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** `undefined` for anything that is not a note to the letter; no signature is checked. */
export function parseNote(note: string): Note | undefined {
  if (note.length > noteCharactersMax || !note.isWellFormed() || !note.endsWith("\n")) {
    return undefined;
  }
  // oxlint-disable-next-line no-control-regex -- these are what a note must not contain
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) return undefined;
  const divide = note.lastIndexOf("\n\n");
  if (divide === -1) return undefined;
  const lines = note.slice(divide + 2, -1).split("\n");
  if (lines.length > signaturesMax) return undefined;
  const signatures = lines.map(parseSignatureLine);
  const known = signatures.filter((signature) => signature !== undefined);
  if (known.length < lines.length) return undefined;
  return { text: note.slice(0, divide + 1), signatures: known };
}

export type OpenedNote =
  | {
      readonly kind: "signed";
      /** Of the known keys, each once. */
      readonly by: readonly SignedBy[];
    }
  | { readonly kind: "forged"; readonly key: NoteKey }
  | { readonly kind: "unsigned" };

export interface SignedBy {
  readonly key: NoteKey;
  /** When a cosigner signed, in epoch seconds; a log's signature has no time. */
  readonly at: bigint | undefined;
}

/** Who of `keys` signed. A note that one of them seems to have signed, but has not, is forged. */
export function openNote(verify: Ed25519Verify, note: Note, keys: readonly NoteKey[]): OpenedNote {
  const by = new Map<NoteKey, SignedBy>();
  for (const { name, keyId, signature } of note.signatures) {
    const key = keys.find((each) => each.name === name && each.id === keyId);
    if (key === undefined || by.has(key)) continue;
    const signed = signedBy(verify, { key, text: note.text, signature });
    if (signed === undefined) return { kind: "forged", key };
    by.set(key, signed);
  }
  return by.size === 0 ? { kind: "unsigned" } : { kind: "signed", by: [...by.values()] };
}

/** The text with its first signature. */
export function signNote(text: string, signer: Signer): string {
  return `${text}\n${signatureLine(signer.key, signer.sign(new TextEncoder().encode(text)))}`;
}

/** The line that adds a cosignature to a note: what an outside holder does who saw the log grow (C2SP tlog-cosignature). */
export function cosignatureLine(note: Note, signer: Signer, atSeconds: bigint): string {
  const message = cosignedMessage(note.text, atSeconds);
  const time = new Uint8Array(timeBytes);
  new DataView(time.buffer).setBigUint64(0, atSeconds);
  return signatureLine(signer.key, Uint8Array.from([...time, ...signer.sign(message)]));
}

function signedBy(
  verify: Ed25519Verify,
  of: { readonly key: NoteKey; readonly text: string; readonly signature: Uint8Array },
): SignedBy | undefined {
  const { key, text, signature } = of;
  if (key.kind === "log") {
    const isRight =
      signature.length === signatureBytes &&
      verify(key.publicKey, new TextEncoder().encode(text), signature);
    return isRight ? { key, at: undefined } : undefined;
  }
  if (signature.length !== timeBytes + signatureBytes) return undefined;
  const { buffer, byteOffset } = signature;
  const at = new DataView(buffer, byteOffset).getBigUint64(0);
  if (at >= 2n ** 63n) return undefined;
  const isRight = verify(key.publicKey, cosignedMessage(text, at), signature.subarray(timeBytes));
  return isRight ? { key, at } : undefined;
}

function cosignedMessage(text: string, atSeconds: bigint): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${atSeconds}\n${text}`);
}

function signatureLine({ name, id }: NoteKey, signature: Uint8Array): string {
  const keyId = Array.from({ length: keyIdBytes }, (_, byte) =>
    Number.parseInt(id.slice(2 * byte, 2 * byte + 2), 16),
  );
  return `${dash} ${name} ${toBase64(Uint8Array.from([...keyId, ...signature]))}\n`;
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [start, name = "", encoded = "", ...more] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (start !== dash || !isKeyName(name) || more.length > 0) return undefined;
  if (bytes === undefined || bytes.length <= keyIdBytes) return undefined;
  return {
    name,
    keyId: hexOf(bytes.subarray(0, keyIdBytes)),
    signature: bytes.subarray(keyIdBytes),
  };
}

/**
 * What a leaf of the metering log is: the canonical JSON (RFC 8785) of `{"event":…,"salt":…}`, the
 * salt being 16 random bytes in base64. Without the salt nobody can tell from a published hash what
 * the event said, however few events there could be.
 *
 * The text of the event stands inside as it is, so a verifier hashes what he was given and writes
 * nothing anew.
 */
import { assert } from "#kernel/assert.ts";

import { toBase64 } from "./base64.ts";

export const saltBytes = 16;

/** `event` is canonical already: `canonicalJson` of it. */
export function leafText(event: string, salt: Uint8Array): string {
  assert(salt.length === saltBytes, "a leaf's salt has 16 bytes");
  return `{"event":${event},"salt":"${toBase64(salt)}"}`;
}

/** Letters that JSON writes as they are; anything else is left to JSON.stringify. */
const plain = /^[ !#-[\]-~]*$/;

/**
 * The canonical form (RFC 8785) of plain data: objects with their keys in order of UTF-16 code
 * units, arrays, strings, finite numbers, booleans, null. A key whose value is `undefined` is left
 * out, as JSON does.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") {
    if (plain.test(value)) return `"${value}"`;
    assert(value.isWellFormed(), "a text of canonical JSON is well-formed");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    assert(Number.isFinite(value), "a number of canonical JSON is finite");
    return JSON.stringify(value);
  }
  if (typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each)).join(",")}]`;
  assert(typeof value === "object" && value !== undefined, "canonical JSON is of plain data");
  return canonicalObject(value);
}

function canonicalObject(value: object): string {
  let text = "";
  for (const [key, field] of inOrder(Object.entries(value))) {
    if (field === undefined) continue;
    text += `${text === "" ? "{" : ","}${canonicalJson(key)}:${canonicalJson(field)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** Code that writes its keys in order, as most does, pays nothing for sorting. */
function inOrder(entries: [string, unknown][]): [string, unknown][] {
  const isSorted = entries.every(
    ([key], index) => index === 0 || (entries[index - 1]?.[0] ?? "") < key,
  );
  return isSorted ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

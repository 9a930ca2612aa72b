/** Base64 (RFC 4648, 4) that accepts only the one text that encodes the bytes. */
const chunkBytes = 0x20_00;

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(from, from + chunkBytes));
  }
  return btoa(text);
}

const pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `undefined` for spaces, a missing padding, or bits that encode nothing. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!pattern.test(text)) return undefined;
  const decoded = atob(text);
  if (btoa(decoded) !== text) return undefined;
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

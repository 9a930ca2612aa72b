/**
 * Bytes of a log as the data of an event, so that any bytes arrive as they were: text where they
 * are UTF-8, base64 where they are not. Pure.
 */
import { isUtf8 } from "node:buffer";

export type LogData = { readonly text: string } | { readonly base64: string };

export function logData(bytes: Buffer): LogData {
  return isUtf8(bytes) ? { text: bytes.toString("utf8") } : { base64: bytes.toString("base64") };
}

/**
 * The bytes without the beginning of a character whose end is still to come, so that text stays
 * text wherever a piece ends. Never less than one byte.
 */
export function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0;
    if (length > 0) return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

/** Up to where a reader has the log of which attempt. */
export interface LogPosition {
  readonly attempt: number;
  readonly offset: number;
}

/** What we gave as an event's id; anything else counts as none. */
export function parsePosition(eventId: string | undefined): LogPosition | undefined {
  const match = /^([1-9][0-9]{0,5}):([0-9]{1,15})$/.exec(eventId ?? "");
  return match === null ? undefined : { attempt: Number(match[1]), offset: Number(match[2]) };
}

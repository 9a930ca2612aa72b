/**
 * The form of messages on the agent's channel: a line holds a JSON object and, after a tab, raw
 * bytes if there are any. Newlines in the bytes are escaped, so a newline always ends a message:
 * whoever comes into the middle of one loses that one and no other. Every message also begins with
 * a newline, which closes what an interrupted sender left behind.
 */
const newline = 0x0a;
const tab = 0x09;
const escape = 0x1b;
const letterN = 0x6e;
const letterE = 0x65;

/** More without a newline is no message of ours, and is dropped. */
export const lineBytesMax = 2 * 1024 * 1024;

export interface Frame {
  readonly message: unknown;
  readonly payload: Buffer | undefined;
}

export function encodeFrame(message: unknown, payload?: Buffer): Buffer {
  const head = Buffer.from(`\n${JSON.stringify(message)}`);
  if (payload === undefined) return Buffer.concat([head, Buffer.from([newline])]);
  return Buffer.concat([head, Buffer.from([tab]), escaped(payload), Buffer.from([newline])]);
}

/** Puts frames together from pieces of any size; what is no frame is skipped. */
export class FrameDecoder {
  #pieces: Buffer[] = [];
  #bytes = 0;

  push(piece: Buffer): Frame[] {
    const frames: Frame[] = [];
    let from = 0;
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, from)) {
      this.#keep(piece.subarray(from, end));
      const frame = decodeLine(Buffer.concat(this.#pieces));
      if (frame !== undefined) frames.push(frame);
      this.reset();
      from = end + 1;
    }
    this.#keep(piece.subarray(from));
    return frames;
  }

  /** Forgets the beginning of a message; its end will not come. */
  reset(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > lineBytesMax) this.#pieces = [];
    else this.#pieces.push(piece);
  }
}

function decodeLine(line: Buffer): Frame | undefined {
  if (line.length === 0) return undefined;
  const end = line.indexOf(tab);
  const head = end < 0 ? line : line.subarray(0, end);
  try {
    const message: unknown = JSON.parse(head.toString("utf8"));
    return { message, payload: end < 0 ? undefined : unescaped(line.subarray(end + 1)) };
  } catch {
    return undefined;
  }
}

function escaped(bytes: Buffer): Buffer {
  let extra = 0;
  for (const byte of bytes) if (byte === newline || byte === escape) extra += 1;
  if (extra === 0) return bytes;
  const result = Buffer.allocUnsafe(bytes.length + extra);
  let at = 0;
  for (const byte of bytes) {
    if (byte === newline || byte === escape) {
      result[at] = escape;
      result[at + 1] = byte === newline ? letterN : letterE;
      at += 2;
    } else {
      result[at] = byte;
      at += 1;
    }
  }
  return result;
}

function unescaped(bytes: Buffer): Buffer {
  if (!bytes.includes(escape)) return bytes;
  const result = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === escape) {
      at += 1;
      result[length] = bytes[at] === letterN ? newline : escape;
    } else {
      result[length] = byte;
    }
    length += 1;
  }
  return result.subarray(0, length);
}

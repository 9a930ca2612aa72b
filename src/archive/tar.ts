/**
 * Tar archives as streams, in the POSIX (pax) form that every `tar` reads: only what a backup
 * needs, which is files, directories and links with their owners' numbers and names.
 */
import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

const blockBytes = 512;
const nameBytesMax = 100;
const headerSizeMax = 0o77777777777;
const headerIdMax = 0o7777777;
const paxBytesMax = 64 * 1024;

/** `same` is another name of a file that came before (a hard link). */
export type EntryKind = "file" | "directory" | "link" | "same";

export interface Entry {
  readonly kind: EntryKind;
  /** Relative, with `/`, without `.` or `..`. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Empty where the machine has no name for the number. */
  readonly user: string;
  readonly group: string;
  /** Bytes of content; 0 for anything but a file. */
  readonly size: number;
  readonly modifiedAt: number;
  /** Where a link points; for `same`, the path of the entry before. */
  readonly target?: string;
}

export interface EntryWithContent {
  readonly entry: Entry;
  /** Exactly `entry.size` bytes. */
  readonly content: AsyncIterable<Buffer>;
}

const kindFlags = { file: "0", same: "1", link: "2", directory: "5" } as const;

/** The bytes of one entry, header to padding. */
export async function* tarEntry({ entry, content }: EntryWithContent): AsyncGenerator<Buffer> {
  yield* header(entry);
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    yield chunk;
  }
  assert(written === entry.size, `${entry.path}: content has another size than its header`);
  if (written % blockBytes !== 0) yield Buffer.alloc(blockBytes - (written % blockBytes));
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes);
}

function header(entry: Entry): Buffer[] {
  const records: string[] = [];
  if (Buffer.byteLength(entry.path) > nameBytesMax) records.push(paxRecord("path", entry.path));
  if (Buffer.byteLength(entry.target ?? "") > nameBytesMax) {
    records.push(paxRecord("linkpath", entry.target ?? ""));
  }
  for (const key of ["uid", "gid"] as const) {
    if (entry[key] > headerIdMax) records.push(paxRecord(key, String(entry[key])));
  }
  if (entry.size > headerSizeMax) records.push(paxRecord("size", String(entry.size)));
  const block = headerBlock(entry, kindFlags[entry.kind]);
  if (records.length === 0) return [block];
  const pax = Buffer.from(records.join(""));
  const paxEntry = { ...entry, path: "pax", target: "", size: pax.length };
  return [headerBlock(paxEntry, "x"), pax, Buffer.alloc(padding(pax.length)), block];
}

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

function headerBlock(entry: Entry, flag: string): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, offset: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, "0"), offset, length - 1, "latin1");
  };
  block.write(entry.path, 0, nameBytesMax);
  octal(entry.mode & 0o7777, 100, 8);
  octal(Math.min(entry.uid, headerIdMax), 108, 8);
  octal(Math.min(entry.gid, headerIdMax), 116, 8);
  octal(Math.min(entry.size, headerSizeMax), 124, 12);
  octal(Math.floor(entry.modifiedAt / 1000), 136, 12);
  block.write(flag, 156);
  block.write(entry.target ?? "", 157, nameBytesMax);
  block.write("ustar\u000000", 257, "latin1");
  block.write(entry.user, 265, 31);
  block.write(entry.group, 297, 31);
  // The checksum counts its own field as spaces.
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return block;
}

/**
 * Entries in order. The content of each must be read, or is skipped, before the next. Of archives that
 * others made, entries of kinds that we never write (devices, sockets) are skipped.
 */
export async function* readTar(
  source: AsyncIterable<Buffer>,
  others: "refuse" | "skip" = "refuse",
): AsyncGenerator<EntryWithContent> {
  const reader = new ByteReader(source);
  let pax = new Map<string, string>();
  for (;;) {
    const block = await reader.exactly(blockBytes);
    if (block.every((byte) => byte === 0)) return;
    checkSum(block);
    const flag = String.fromCharCode(block[156] ?? 0);
    const size = Number(pax.get("size") ?? Number.parseInt(text(block, 124, 12), 8));
    if (flag === "x") {
      if (size > paxBytesMax) throw damaged("an extended header is too long");
      pax = parsePax(await reader.exactly(size));
      await reader.skip(padding(size));
      continue;
    }
    const longName = longNames.get(flag);
    if (longName !== undefined) {
      if (size > paxBytesMax) throw damaged("a long name is too long");
      pax.set(longName, text(await reader.exactly(size), 0, size));
      await reader.skip(padding(size));
      continue;
    }
    if (others === "skip" && !isKnown(flag)) {
      pax = new Map();
      await reader.skip(size + padding(size));
      continue;
    }
    const target = pax.get("linkpath") ?? text(block, 157, nameBytesMax);
    const entry: Entry = {
      kind: kindOf(flag),
      path: pax.get("path") ?? text(block, 0, nameBytesMax),
      mode: Number.parseInt(text(block, 100, 8), 8),
      uid: Number(pax.get("uid") ?? Number.parseInt(text(block, 108, 8), 8)),
      gid: Number(pax.get("gid") ?? Number.parseInt(text(block, 116, 8), 8)),
      user: text(block, 265, 32),
      group: text(block, 297, 32),
      size,
      modifiedAt: Number.parseInt(text(block, 136, 12), 8) * 1000,
      ...(target === "" ? {} : { target }),
    };
    pax = new Map();
    const left = { bytes: size };
    yield { entry, content: reader.upTo(left) };
    await reader.skip(left.bytes + padding(size));
  }
}

/** As GNU tar says them, in an entry before the one that they are of. */
const longNames: ReadonlyMap<string, "path" | "linkpath"> = new Map([
  ["L", "path"],
  ["K", "linkpath"],
]);

function isKnown(flag: string): boolean {
  return Object.values<string>(kindFlags).includes(flag);
}

function kindOf(flag: string): EntryKind {
  switch (flag) {
    case kindFlags.file:
      return "file";
    case kindFlags.same:
      return "same";
    case kindFlags.link:
      return "link";
    case kindFlags.directory:
      return "directory";
    default:
      throw damaged(`an entry of an unknown kind (${JSON.stringify(flag)})`);
  }
}

function checkSum(block: Buffer): void {
  const said = Number.parseInt(text(block, 148, 8), 8);
  const spaces = block.subarray(148, 156).reduce((total, byte) => total - byte + 0x20, 0);
  const sum = block.reduce((total, byte) => total + byte, spaces);
  if (sum !== said) throw damaged("a header does not match its checksum");
}

function parsePax(records: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  for (let offset = 0; offset < records.length;) {
    const length = Number.parseInt(records.toString("latin1", offset, offset + 10), 10);
    if (!(length > 0)) throw damaged("an extended header is not well formed");
    const record = records.toString("utf8", offset, offset + length - 1);
    const [, key = "", value = ""] = /^\d+ ([^=]+)=([^]*)$/.exec(record) ?? [];
    found.set(key, value);
    offset += length;
  }
  return found;
}

function text(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end).trim();
}

function padding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

export function damaged(what: string, cause?: unknown): Failure {
  return new Failure(
    "invalid_request",
    `The archive is damaged or cut short: ${what}. Nothing was written; use another backup.`,
    { cause },
  );
}

/** Hands out a stream's bytes in the amounts asked for. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      const part = await this.#some(missing);
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
  }

  async *upTo(left: { bytes: number }): AsyncGenerator<Buffer> {
    while (left.bytes > 0) {
      const part = await this.#some(left.bytes);
      left.bytes -= part.length;
      yield part;
    }
  }

  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0;) missing -= (await this.#some(missing)).length;
  }

  async #some(lengthMax: number): Promise<Buffer> {
    while (this.#buffer.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) throw damaged("it ends in the middle");
      this.#buffer = next.value;
    }
    const part = this.#buffer.subarray(0, lengthMax);
    this.#buffer = this.#buffer.subarray(part.length);
    return part;
  }
}

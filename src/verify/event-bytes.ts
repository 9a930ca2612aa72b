/**
 * Reads the events of the meter out of the bytes of their leaves, as fast as they can be hashed: no
 * text is made of them. It knows one form only (flow/meter/event.ts); whatever else there is, other
 * sources and retractions among them, it leaves to event-line.ts, which reads the same form and more.
 */
import { meterSource, recordedType, unitOf } from "#flow/meter/event.ts";

export interface ScannedSku {
  readonly name: string;
  readonly hasUnit: boolean;
}

/** Bytes that must be there, to be compared four at a time. */
interface Literal {
  readonly words: Int32Array;
  /** What is left over; three at most. */
  readonly rest: Uint8Array;
  readonly length: number;
  readonly first: number;
}

const wordBytes = 4;

function literal(text: string): Literal {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Int32Array(Math.floor(bytes.length / wordBytes));
  for (let index = 0; index < words.length; index += 1) {
    words[index] = view.getInt32(index * wordBytes, true);
  }
  const rest = bytes.slice(words.length * wordBytes);
  return { words, rest, length: bytes.length, first: bytes[0] ?? 0 };
}

const start = literal('{"event":{"data":{"billable":');
const yes = literal("true");
const no = literal("false");
const fromField = literal(',"from":"');
const instanceField = literal('","instance":"');
const intervalField = literal('","interval":"');
const planField = literal('","plan":"');
const onDemand = literal("on_demand");
const subscription = literal("subscription");
const projectField = literal('","project":"');
const reasonField = literal('","reason":');
const nothing = literal("null");
const requestField = literal(',"request":"');
const skuField = literal('","sku":"');
const sliceField = literal('","slice":');
const tenantField = literal(',"tenant":"');
const unitField = literal('","unit":"');
const unitsField = literal('","units":"');
const untilField = literal('","until":"');
const workField = literal('","work":"');
const lease = literal("lease");
const job = literal("job");
const idField = literal('"},"datacontenttype":"application/json","id":"');
const sourceField = literal(`","source":"${meterSource}","specversion":"1.0","time":"`);
const typeField = literal(`","type":"${recordedType}"},"salt":"`);
const end = literal('=="}');

export const uuidLength = 36;
const timeLength = 20;
const saltLength = 22;
/** Digits of a number that is read as one; larger ones go the other way. */
const digitsMax = 15;
const dayMs = 86_400_000;
const [quote, slash, dash, zero] = [0x22, 0x2f, 0x2d, 0x30];

/** Kinds of bytes, one bit each. */
const [hexBit, plainBit, saltBit, dashBit] = [1, 2, 4, 8];
const kinds = new Uint8Array(256);
for (const character of "0123456789abcdef") mark(character, hexBit);
for (const [from, until] of ["AZ", "az", "09"].map((pair) => [
  pair.charCodeAt(0),
  pair.charCodeAt(1),
])) {
  for (let code = from ?? 0; code <= (until ?? 0); code += 1) {
    kinds[code] = (kinds[code] ?? 0) | plainBit | saltBit;
  }
}
for (const character of " ._:/@#+-") mark(character, plainBit);
for (const character of "+/") mark(character, saltBit);
mark("-", dashBit);
/** Which kind of byte stands where in a uuid. */
const uuidKinds = new Uint8Array(uuidLength).fill(hexBit);
for (const at of [8, 13, 18, 23]) uuidKinds[at] = dashBit;

function mark(character: string, bit: number): void {
  const code = character.charCodeAt(0);
  kinds[code] = (kinds[code] ?? 0) | bit;
}

/** Of two uuids in the same bytes. */
export function isSameUuid(view: DataView, a: number, b: number): boolean {
  for (let index = 0; index < uuidLength; index += wordBytes) {
    if (view.getInt32(a + index, true) !== view.getInt32(b + index, true)) return false;
  }
  return true;
}

/** The fields are those of the last event that was read. */
export class EventScanner {
  /** Positions in the bytes. */
  instanceAt = 0;
  intervalAt = 0;
  /** Of the segment, from 1. */
  number = 0;
  billable = false;
  isSubscription = false;
  isJob = false;
  sku = 0;
  slice = 0;
  units = 0;
  /** Epoch milliseconds. */
  from = 0;
  until = 0;
  /** By the number in `sku`. */
  readonly skus: ScannedSku[] = [];
  readonly #skuBytes: { readonly bytes: Uint8Array; readonly skuLength: number }[] = [];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tenant: Literal;
  #dayKey = 0;
  #dayStart = 0;
  #parsed = 0;

  constructor(bytes: Uint8Array, tenant: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#tenant = literal(tenant);
  }

  /** Where the event that begins here ends; -1 for what it does not know. */
  read(at: number): number {
    const bytes = this.#bytes;
    let p = this.#literal(at, start);
    this.billable = bytes[p] === yes.first;
    p = this.#literal(p, this.billable ? yes : no);
    p = this.#literal(p, fromField);
    p = this.#time(p);
    this.from = this.#parsed;
    p = this.#literal(p, instanceField);
    this.instanceAt = p;
    p = this.#uuid(p);
    p = this.#literal(p, intervalField);
    this.intervalAt = p;
    p = this.#uuid(p);
    p = this.#literal(p, planField);
    this.isSubscription = bytes[p] === subscription.first;
    p = this.#literal(p, this.isSubscription ? subscription : onDemand);
    p = this.#uuid(this.#literal(p, projectField));
    p = this.#reason(this.#literal(p, reasonField));
    p = this.#uuid(this.#literal(p, requestField));
    const skuAt = this.#literal(p, skuField);
    const skuEnd = this.#plain(skuAt);
    p = this.#digits(this.#literal(skuEnd, sliceField));
    this.slice = this.#parsed;
    p = this.#literal(this.#literal(p, tenantField), this.#tenant);
    const unitAt = this.#literal(p, unitField);
    const unitEnd = this.#plain(unitAt);
    p = this.#digits(this.#literal(unitEnd, unitsField));
    this.units = this.#parsed;
    const untilAt = this.#literal(p, untilField);
    p = this.#time(untilAt);
    this.until = this.#parsed;
    p = this.#literal(p, workField);
    this.isJob = bytes[p] === job.first;
    p = this.#literal(p, this.isJob ? job : lease);
    p = this.#identity(this.#literal(p, idField));
    p = this.#literal(p, sourceField);
    // The event's own time, as a rule that of its end.
    p = p >= 0 && this.#isSameTime(p, untilAt) ? p + timeLength : this.#time(p);
    p = this.#literal(this.#salt(this.#literal(p, typeField)), end);
    if (p < 0 || this.slice === 0 || this.number === 0) return -1;
    this.sku = this.#skuOf({ skuAt, skuEnd, unitAt, unitEnd });
    // Of another unit it is for event-line.ts to say so.
    return this.skus[this.sku]?.hasUnit === true ? p : -1;
  }

  #literal(at: number, { words, rest, length }: Literal): number {
    if (at < 0 || at + length > this.#bytes.length) return -1;
    const view = this.#view;
    const bytes = this.#bytes;
    let p = at;
    for (let index = 0; index < words.length; index += 1, p += wordBytes) {
      if (view.getInt32(p, true) !== words[index]) return -1;
    }
    for (let index = 0; index < rest.length; index += 1, p += 1) {
      if (bytes[p] !== rest[index]) return -1;
    }
    return p;
  }

  #uuid(at: number): number {
    if (at < 0) return -1;
    const bytes = this.#bytes;
    for (let index = 0; index < uuidLength; index += 1) {
      if (((kinds[bytes[at + index] ?? 0] ?? 0) & (uuidKinds[index] ?? 0)) === 0) return -1;
    }
    return at + uuidLength;
  }

  #plain(at: number): number {
    if (at < 0) return -1;
    const bytes = this.#bytes;
    let p = at;
    while (((kinds[bytes[p] ?? 0] ?? 0) & plainBit) !== 0) p += 1;
    return p;
  }

  #reason(at: number): number {
    if (at < 0) return -1;
    if (this.#bytes[at] !== quote) return this.#literal(at, nothing);
    const until = this.#plain(at + 1);
    return this.#bytes[until] === quote ? until + 1 : -1;
  }

  /** Without a zero in front; more than a few go the other way. */
  #digits(at: number): number {
    if (at < 0) return -1;
    const bytes = this.#bytes;
    let value = 0;
    let p = at;
    for (; p - at <= digitsMax; p += 1) {
      const digit = (bytes[p] ?? 0) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#parsed = value;
    const length = p - at;
    return length === 0 || length > digitsMax || (length > 1 && bytes[at] === zero) ? -1 : p;
  }

  /** The interval's id again, and the number of the segment. */
  #identity(at: number): number {
    if (at < 0) return -1;
    if (at + uuidLength >= this.#bytes.length || this.#bytes[at + uuidLength] !== slash) return -1;
    if (!isSameUuid(this.#view, at, this.intervalAt)) return -1;
    const until = this.#digits(at + uuidLength + 1);
    this.number = until < 0 ? 0 : this.#parsed;
    return until;
  }

  #salt(at: number): number {
    if (at < 0) return -1;
    const bytes = this.#bytes;
    for (let index = 0; index < saltLength; index += 1) {
      if (((kinds[bytes[at + index] ?? 0] ?? 0) & saltBit) === 0) return -1;
    }
    return at + saltLength;
  }

  /** "2026-05-04T01:00:00Z" */
  #time(at: number): number {
    if (at < 0) return -1;
    const bytes = this.#bytes;
    const year = this.#two(at) * 100 + this.#two(at + 2);
    const month = this.#two(at + 5);
    const date = this.#two(at + 8);
    const hour = this.#two(at + 11);
    const minute = this.#two(at + 14);
    const second = this.#two(at + 17);
    const isMade =
      bytes[at + 4] === dash &&
      bytes[at + 7] === dash &&
      bytes[at + 10] === 0x54 &&
      bytes[at + 13] === 0x3a &&
      bytes[at + 16] === 0x3a &&
      bytes[at + 19] === 0x5a;
    const isInDay =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
    if (!isMade || !isInDay || year < 1000 || month < 1 || date < 1) return -1;
    const key = year * 10_000 + month * 100 + date;
    if (key !== this.#dayKey) {
      const day = Date.UTC(year, month - 1, date);
      if (new Date(day).getUTCDate() !== date || month > 12) return -1;
      this.#dayKey = key;
      this.#dayStart = day;
    }
    this.#parsed = this.#dayStart + ((hour * 60 + minute) * 60 + second) * 1000;
    return this.#parsed % 1000 === 0 && this.#parsed < this.#dayStart + dayMs
      ? at + timeLength
      : -1;
  }

  #isSameTime(a: number, b: number): boolean {
    if (Math.max(a, b) + timeLength > this.#bytes.length) return false;
    const view = this.#view;
    for (let index = 0; index < timeLength; index += wordBytes) {
      if (view.getInt32(a + index, true) !== view.getInt32(b + index, true)) return false;
    }
    return true;
  }

  /** Two digits; far below zero where they are none. */
  #two(at: number): number {
    const tens = (this.#bytes[at] ?? 0) - zero;
    const ones = (this.#bytes[at + 1] ?? 0) - zero;
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -10_000 : tens * 10 + ones;
  }

  /** Each pair of SKU and unit is made text once. */
  #skuOf(of: Pair): number {
    const { skuAt, skuEnd, unitAt, unitEnd } = of;
    const length = skuEnd - skuAt + unitEnd - unitAt + 1;
    for (let index = 0; index < this.#skuBytes.length; index += 1) {
      const known = this.#skuBytes[index];
      if (known?.bytes.length !== length || known.skuLength !== skuEnd - skuAt) continue;
      if (this.#isPair(known.bytes, of)) return index;
    }
    const text = new TextDecoder("latin1");
    const name = text.decode(this.#bytes.subarray(skuAt, skuEnd));
    const unitName = text.decode(this.#bytes.subarray(unitAt, unitEnd));
    const bytes = new TextEncoder().encode(`${name} ${unitName}`);
    this.#skuBytes.push({ bytes, skuLength: name.length });
    return this.skus.push({ name, hasUnit: unitOf(name) === unitName }) - 1;
  }

  #isPair(known: Uint8Array, { skuAt, skuEnd, unitAt, unitEnd }: Pair): boolean {
    const bytes = this.#bytes;
    let at = 0;
    for (let p = skuAt; p < skuEnd; p += 1, at += 1) if (bytes[p] !== known[at]) return false;
    at += 1;
    for (let p = unitAt; p < unitEnd; p += 1, at += 1) if (bytes[p] !== known[at]) return false;
    return true;
  }
}

/** Positions of a SKU and its unit. */
interface Pair {
  readonly skuAt: number;
  readonly skuEnd: number;
  readonly unitAt: number;
  readonly unitEnd: number;
}

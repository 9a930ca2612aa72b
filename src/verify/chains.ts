/**
 * The meter's events beside each other: each segment once; those of an interval numbered without a gap
 * and joined to the second; nothing of an instance counted twice for the same time. Fields lie in
 * arrays by the event's position, as an object for each costs more than hashing it.
 *
 * What one month's bundle cannot show is said: an interval that began before it, or was corrected, has
 * segments in other bundles too.
 */
import { timeText } from "#flow/meter/event.ts";

import { isSameUuid, uuidLength, type EventScanner } from "./event-bytes.ts";
import type { Findings } from "./findings.ts";

export interface Neighborhood {
  readonly placeOf: (at: number) => string;
  readonly indexes: readonly number[];
  readonly days: { isStart(instant: number): boolean };
}

const none = -1;

export class Chains {
  readonly #bytes: Uint8Array;
  readonly #scanner: EventScanner;
  readonly #intervals: UuidTable;
  readonly #instances: UuidTable;
  readonly #numbers: Int32Array;
  readonly #froms: Float64Array;
  readonly #untils: Float64Array;
  readonly #skus: Int32Array;
  readonly #intervalAts: Int32Array;
  readonly #instanceAts: Int32Array;
  /** The event of the same interval that came before; `none` for the first. */
  readonly #before: Int32Array;
  /** Position of what took it back; `none` while it stands. */
  readonly #retractedBy: Int32Array;

  constructor(bytes: Uint8Array, scanner: EventScanner, count: number) {
    this.#bytes = bytes;
    this.#scanner = scanner;
    this.#intervals = new UuidTable(bytes, count);
    this.#instances = new UuidTable(bytes, count);
    this.#numbers = new Int32Array(count);
    this.#froms = new Float64Array(count);
    this.#untils = new Float64Array(count);
    this.#skus = new Int32Array(count);
    this.#intervalAts = new Int32Array(count);
    this.#instanceAts = new Int32Array(count);
    this.#before = new Int32Array(count).fill(none);
    this.#retractedBy = new Int32Array(count).fill(none);
  }

  /** The event that was read last; the position of the same one, where it was there before. */
  add(at: number): number | undefined {
    const { number, from, until, sku, intervalAt, instanceAt } = this.#scanner;
    this.#numbers[at] = number;
    this.#froms[at] = from;
    this.#untils[at] = until;
    this.#skus[at] = sku;
    this.#intervalAts[at] = intervalAt;
    this.#instanceAts[at] = instanceAt;
    const last = this.#intervals.put(intervalAt, at);
    if (last === none) return undefined;
    this.#before[at] = last;
    // They come in order, as a rule.
    if ((this.#numbers[last] ?? 0) < number) return undefined;
    for (let each = last; each !== none; each = this.#before[each] ?? none) {
      if (this.#numbers[each] === number) return each;
    }
    return undefined;
  }

  /** Of the meter: position of the event with this id. */
  find(id: string): number | undefined {
    const number = Number(id.slice(uuidLength + 1));
    if (id[uuidLength] !== "/" || !Number.isSafeInteger(number)) return undefined;
    const key = new TextEncoder().encode(id.slice(0, uuidLength));
    let each = key.length === uuidLength ? this.#intervals.get(key) : none;
    for (; each !== none; each = this.#before[each] ?? none) {
      if (this.#numbers[each] === number) return each;
    }
    return undefined;
  }

  /** The position of what took it back before. */
  retract(at: number, by: number): number | undefined {
    const before = this.#retractedBy[at] ?? none;
    if (before !== none) return before;
    this.#retractedBy[at] = by;
    return undefined;
  }

  check(around: Neighborhood, findings: Findings): void {
    let outside = 0;
    const ofInstance = new Int32Array(this.#before.length).fill(none);
    const shared: number[] = [];
    for (const last of this.#intervals.values()) {
      const isOutside =
        !this.#isWhole(last) && this.#checkInterval(this.#ofInterval(last), around, findings);
      if (isOutside) outside += 1;
      const other = this.#instances.put(this.#instanceAts[last] ?? 0, last);
      ofInstance[last] = other;
      if (other !== none) shared.push(last);
    }
    if (outside > 0) findings.note("segments_outside", { count: outside });
    const checked = new Set<number>();
    for (const each of shared) {
      const instanceAt = this.#instanceAts[each] ?? 0;
      const newest = this.#instances.get(this.#bytes.subarray(instanceAt, instanceAt + uuidLength));
      if (checked.has(newest)) continue;
      checked.add(newest);
      this.#checkInstance(newest, { ofInstance, around }, findings);
    }
  }

  /** As most are: from the first segment on, in order, joined. */
  #isWhole(last: number): boolean {
    let each = last;
    for (;;) {
      const before = this.#before[each] ?? none;
      if (before === none) return this.#numbers[each] === 1;
      const follows = (this.#numbers[before] ?? 0) + 1 === this.#numbers[each];
      if (!follows || this.#untils[before] !== this.#froms[each]) return false;
      each = before;
    }
  }

  /** By number. */
  #ofInterval(last: number): number[] {
    const segments: number[] = [];
    for (let each = last; each !== none; each = this.#before[each] ?? none) segments.push(each);
    return segments.length === 1
      ? segments
      : segments.toSorted((a, b) => (this.#numbers[a] ?? 0) - (this.#numbers[b] ?? 0));
  }

  /** Whether some of its segments are not in this bundle, by their numbers. */
  #checkInterval(
    segments: readonly number[],
    { placeOf, days }: Neighborhood,
    findings: Findings,
  ): boolean {
    const isCorrected = segments.some((each) => this.#retractedBy[each] !== none);
    let before: number | undefined;
    let isOutside = false;
    for (const segment of segments) {
      const number = this.#numbers[segment] ?? 0;
      const from = this.#froms[segment] ?? 0;
      const last = before === undefined ? 0 : (this.#numbers[before] ?? 0);
      const until = before === undefined ? from : (this.#untils[before] ?? 0);
      if (number !== last + 1) {
        isOutside = true;
        // Of the month before, it went on over midnight.
        const isFirst = before === undefined && days.isStart(from);
        if (!isCorrected && !isFirst) {
          const values = { number: last + 1, before: last, after: number };
          findings.fail("segment_missing", this.#place(segment, placeOf), values);
        }
      } else if (!isCorrected && until !== from) {
        findings.fail("segment_gap", this.#place(segment, placeOf), {
          before: last,
          from: timeText(until),
          after: number,
          until: timeText(from),
        });
      }
      before = segment;
    }
    return isOutside;
  }

  /** One instance has each SKU once at a time. */
  #checkInstance(
    newest: number,
    of: { readonly ofInstance: Int32Array; readonly around: Neighborhood },
    findings: Findings,
  ): void {
    const { placeOf, indexes } = of.around;
    const standing: number[] = [];
    for (let each = newest; each !== none; each = of.ofInstance[each] ?? none) {
      standing.push(...this.#ofInterval(each).filter((one) => this.#retractedBy[one] === none));
    }
    const last = new Map<number, number>();
    for (const segment of standing.toSorted(
      (a, b) => (this.#froms[a] ?? 0) - (this.#froms[b] ?? 0),
    )) {
      const sku = this.#skus[segment] ?? 0;
      const before = last.get(sku);
      const [from, until] = [this.#froms[segment] ?? 0, this.#untils[segment] ?? 0];
      const beforeUntil = before === undefined ? 0 : (this.#untils[before] ?? 0);
      if (before !== undefined && from < beforeUntil) {
        findings.fail("used_twice", placeOf(segment), {
          sku: this.#scanner.skus[sku]?.name ?? "",
          instance: this.#textAt(this.#instanceAts[segment] ?? 0),
          from: timeText(from),
          other: indexes[before] ?? 0,
        });
      }
      if (before === undefined || until > beforeUntil) last.set(sku, segment);
    }
  }

  #place(at: number, placeOf: Neighborhood["placeOf"]): string {
    return `interval ${this.#textAt(this.#intervalAts[at] ?? 0)}, at ${placeOf(at)}`;
  }

  #textAt(at: number): string {
    return new TextDecoder().decode(this.#bytes.subarray(at, at + uuidLength));
  }
}

/** From uuids, as they lie in the bytes, to the last position that was put for each. */
class UuidTable {
  readonly #view: DataView;
  readonly #mask: number;
  /** Position of the uuid in the bytes, and what was put; `none` in a free slot. */
  readonly #keys: Int32Array;
  readonly #values: Int32Array;

  constructor(bytes: Uint8Array, count: number) {
    let size = 16;
    while (size < count * 2) size *= 2;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#mask = size - 1;
    this.#keys = new Int32Array(size).fill(none);
    this.#values = new Int32Array(size);
  }

  /** What was there before, or `none`. */
  put(keyAt: number, value: number): number {
    let slot = hashOf(this.#view, keyAt) & this.#mask;
    for (;;) {
      const key = this.#keys[slot] ?? none;
      if (key === none) {
        this.#keys[slot] = keyAt;
        this.#values[slot] = value;
        return none;
      }
      if (isSameUuid(this.#view, key, keyAt)) break;
      slot = (slot + 1) & this.#mask;
    }
    const before = this.#values[slot] ?? none;
    this.#values[slot] = value;
    return before;
  }

  get(uuid: Uint8Array): number {
    const own = new DataView(uuid.buffer, uuid.byteOffset, uuid.byteLength);
    let slot = hashOf(own, 0) & this.#mask;
    for (;;) {
      const key = this.#keys[slot] ?? none;
      if (key === none) return none;
      const isSame = uuid.every((byte, index) => this.#view.getUint8(key + index) === byte);
      if (isSame) return this.#values[slot] ?? none;
      slot = (slot + 1) & this.#mask;
    }
  }

  values(): Int32Array {
    return this.#values.filter((_, slot) => this.#keys[slot] !== none);
  }
}

/** The end of a uuid is what tells most of them apart. */
function hashOf(view: DataView, at: number): number {
  const mixed =
    Math.imul(view.getInt32(at + 32, true), 0x9e_37_79_b1) ^
    Math.imul(view.getInt32(at + 28, true), 0x85_eb_ca_77) ^
    Math.imul(view.getInt32(at + 24, true), 0xc2_b2_ae_3d);
  return mixed ^ (mixed >>> 15);
}

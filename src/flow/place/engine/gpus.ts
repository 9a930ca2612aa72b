/**
 * The devices of all hosts: flat typed arrays, `stride` places for each host. What must stay true: a
 * device is never below zero or above whole; where slices have one size, what is left of a device and
 * smaller than a slice is nothing; a sick device has nothing left.
 */
import { wholeGpu } from "./amounts.ts";
import type { Kind } from "./kind.ts";
import { bitOf, Names } from "./names.ts";
import { several, stranger, type Tenants } from "./tenants.ts";
import { put, wider } from "./columns.ts";

export interface GpuSpec {
  readonly model: string;
  /** Slices of one device have one size (MIG, vGPU); else they share as they like. */
  readonly uniform?: boolean;
  /** Most slices that it can be cut into; without it any number. */
  readonly slicesMax?: number;
  /** Softly isolated: all slices of it belong to one tenant. */
  readonly soft?: boolean;
  readonly sick?: boolean;
  readonly node?: number;
  /** Devices of a host with the same link reach each other by NVLink. */
  readonly link?: string;
  /** So many parts of it are taken, each of so many milli. */
  readonly taken?: {
    readonly parts: number;
    readonly milli: number;
    readonly tenants: readonly string[];
  };
}

const anySize = -1;
const noLink = 0;
const noNode = -1;

export class Gpus {
  /** Places for each host; as many as the largest has, to the next power of two. */
  stride = 8;
  /** Per host: devices, milli left over all of them, those that are whole, bits of their models. */
  count = new Int32Array(0);
  freeSum = new Int32Array(0);
  wholeFree = new Int32Array(0);
  models = new Int32Array(0);
  /** Per device: milli left, its model's number, the size of its slices (0: none yet). */
  free = new Int32Array(0);
  model = new Int32Array(0);
  slice = new Int32Array(0);
  slicesMax = new Int32Array(0);
  /** The tenant of a softly isolated device that is begun. */
  owner = new Int32Array(0);
  node = new Int32Array(0);
  /** 0 for none, else a number that its NVLink group has on this host. */
  link = new Int32Array(0);
  readonly names = new Names();
  #soft = new Uint8Array(0);
  #sick = new Uint8Array(0);
  readonly #tenants: Tenants;

  constructor(tenants: Tenants) {
    this.#tenants = tenants;
  }

  /** Has device `number` of the host room for what the kind needs of one device? */
  takes(slot: number, number: number, kind: Kind): boolean {
    const at = slot * this.stride + number;
    if ((this.free[at] ?? 0) < kind.gpuMilli || !this.serves(slot, number, kind)) return false;
    const slice = this.slice[at] ?? anySize;
    if (slice > 0 && slice !== kind.gpuMilli) return false;
    const owner = this.owner[at] ?? stranger;
    return owner === stranger || owner === kind.tenant;
  }

  /** May it be for this kind, if nothing ran on it? */
  serves(slot: number, number: number, { modelNumbers, slices, among }: Kind): boolean {
    const at = slot * this.stride + number;
    if (modelNumbers !== undefined && !modelNumbers.includes(this.model[at] ?? 0)) return false;
    if ((this.slicesMax[at] ?? 0) < slices) return false;
    return among === undefined || among.includes(number);
  }

  isSick(slot: number, number: number): boolean {
    return this.#sick[slot * this.stride + number] === 1;
  }

  /** What the kind needs of one device is taken of it (-1) or given back (1). */
  move(slot: number, number: number, { gpuMilli, tenant }: Kind, by: 1 | -1): void {
    const at = slot * this.stride + number;
    const before = this.free[at] ?? 0;
    const oneSize = this.slice[at] !== anySize;
    let after = before + by * gpuMilli;
    if (oneSize && by === -1 && after < gpuMilli) after = 0;
    if (oneSize && by === 1 && before === 0) after += wholeGpu % gpuMilli;
    this.#begun(slot, at, -1);
    this.free[at] = after;
    if (oneSize) this.slice[at] = after === wholeGpu ? 0 : gpuMilli;
    if (after === wholeGpu) this.owner[at] = stranger;
    else if (this.#soft[at] === 1) this.owner[at] = tenant;
    this.#begun(slot, at, 1);
    this.freeSum[slot] = (this.freeSum[slot] ?? 0) + after - before;
    const whole = (after === wholeGpu ? 1 : 0) - (before === wholeGpu ? 1 : 0);
    this.wholeFree[slot] = (this.wholeFree[slot] ?? 0) + whole;
  }

  /** The host has these devices now. True if anything is not as it was. */
  write(slot: number, specs: readonly GpuSpec[]): boolean {
    if (specs.length > this.stride) this.#restride(specs.length);
    let changed = put(this.count, slot, specs.length);
    let [sum, whole, models] = [0, 0, 0];
    for (const [number, spec] of specs.entries()) {
      const model = this.names.number(spec.model);
      const left = leftOf(spec);
      const link = specs.findIndex((other) => spec.link !== undefined && other.link === spec.link);
      changed = this.#writeOne(slot, number, { spec, model, left, link: link + 1 }) || changed;
      sum += left;
      if (left === wholeGpu) whole += 1;
      models |= bitOf(model);
    }
    for (let number = specs.length; number < this.stride; number += 1) this.#erase(slot, number);
    changed = put(this.freeSum, slot, sum) || changed;
    changed = put(this.wholeFree, slot, whole) || changed;
    return put(this.models, slot, models) || changed;
  }

  grow(slots: number): void {
    this.count = wider(this.count, slots);
    this.freeSum = wider(this.freeSum, slots);
    this.wholeFree = wider(this.wholeFree, slots);
    this.models = wider(this.models, slots);
    const devices = slots * this.stride;
    this.free = wider(this.free, devices);
    this.model = wider(this.model, devices);
    this.slice = wider(this.slice, devices);
    this.slicesMax = wider(this.slicesMax, devices);
    this.owner = wider(this.owner, devices);
    this.node = wider(this.node, devices);
    this.link = wider(this.link, devices);
    this.#soft = wider(this.#soft, devices);
    this.#sick = wider(this.#sick, devices);
  }

  #writeOne(
    slot: number,
    number: number,
    is: {
      readonly spec: GpuSpec;
      readonly model: number;
      readonly left: number;
      readonly link: number;
    },
  ): boolean {
    const { spec } = is;
    const { taken } = spec;
    const at = slot * this.stride + number;
    const soft = spec.soft === true && taken !== undefined;
    const [tenant, ...others] = soft ? taken.tenants : [];
    const alone = tenant !== undefined && others.length === 0;
    const owner = alone ? this.#tenants.number(tenant) : several;
    const slice = spec.uniform === true ? (taken?.milli ?? 0) : anySize;
    this.#begun(slot, at, -1);
    let changed = put(this.free, at, is.left);
    changed = put(this.model, at, is.model) || changed;
    changed = put(this.slice, at, slice) || changed;
    changed = put(this.slicesMax, at, spec.slicesMax ?? wholeGpu) || changed;
    changed = put(this.owner, at, soft ? owner : stranger) || changed;
    changed = put(this.node, at, spec.node ?? noNode) || changed;
    changed = put(this.link, at, is.link === 0 ? noLink : is.link) || changed;
    changed = put(this.#soft, at, spec.soft === true ? 1 : 0) || changed;
    changed = put(this.#sick, at, spec.sick === true ? 1 : 0) || changed;
    this.#begun(slot, at, 1);
    return changed;
  }

  #erase(slot: number, number: number): void {
    const at = slot * this.stride + number;
    this.#begun(slot, at, -1);
    this.free[at] = 0;
    this.owner[at] = stranger;
  }

  /** Where somebody may go on is in the index, before and after each change. */
  #begun(slot: number, at: number, by: 1 | -1): void {
    const owner = this.owner[at] ?? stranger;
    if (owner > stranger && (this.free[at] ?? 0) > 0) this.#tenants.begun.add(owner, slot, by);
  }

  #restride(devices: number): void {
    const from = this.stride;
    while (this.stride < devices) this.stride *= 2;
    const to = this.stride;
    const spread = <T extends Int32Array | Uint8Array>(old: T): T => {
      const slots = this.count.length;
      const fresh = wider(old, slots * to);
      fresh.fill(0);
      for (let slot = 0; slot < slots; slot += 1) {
        fresh.set(old.subarray(slot * from, (slot + 1) * from), slot * to);
      }
      return fresh;
    };
    this.free = spread(this.free);
    this.model = spread(this.model);
    this.slice = spread(this.slice);
    this.slicesMax = spread(this.slicesMax);
    this.owner = spread(this.owner);
    this.node = spread(this.node);
    this.link = spread(this.link);
    this.#soft = spread(this.#soft);
    this.#sick = spread(this.#sick);
  }
}

function leftOf({ sick, uniform, taken }: GpuSpec): number {
  if (sick === true) return 0;
  if (taken === undefined) return wholeGpu;
  const left = Math.max(0, wholeGpu - taken.parts * taken.milli);
  return uniform === true && left < taken.milli ? 0 : left;
}

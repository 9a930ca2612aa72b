/**
 * The hosts as the placement engine sees them: flat typed arrays, one slot per host, and the only
 * code that changes them. What must stay true: nothing is ever below zero or above its total; a
 * change of a slot is in the change log before the call returns, because every cache (choose.ts)
 * lives by that log; the order of slots is the order in which ties are decided.
 */
import { gpusPerHostMax, resources, wholeGpu, type Amounts, type Resource } from "./amounts.ts";
import { ChangeLog } from "./changes.ts";
import type { Kind } from "./kind.ts";
import { Names } from "./names.ts";

export interface HostSpec {
  readonly id: string;
  readonly amounts: Amounts;
  /** `uniform`: slices of one device have one size (MIG, vGPU), where others share as they like. */
  readonly gpus: readonly { readonly model: string; readonly uniform?: boolean }[];
  /** What a request may require: labels, pools, "core". */
  readonly offers?: readonly string[];
  /** What a request must tolerate: taints, "drained", a reserve that only faults may use. */
  readonly repels?: readonly string[];
}

/** What one request holds of one host. */
export interface Held {
  readonly slot: number;
  readonly kind: Kind;
  /** Device numbers on the host, ascending. */
  readonly gpus: readonly number[];
}

type Columns = Record<Resource, Float64Array>;

export class Fleet {
  /** Slots in use and slots given back; slots from here on were never used. */
  slots = 0;
  total: Columns = columns(0);
  free: Columns = columns(0);
  /** Per slot: devices, milli left over all of them, whole devices that are free, bits of models. */
  gpuCount = new Int32Array(0);
  gpuFreeSum = new Int32Array(0);
  gpuWholeFree = new Int32Array(0);
  gpuModels = new Int32Array(0);
  /** Per device (slot × gpusPerHostMax + number): milli left, its model's bit, size of its slices. */
  gpuFree = new Int32Array(0);
  gpuModel = new Int32Array(0);
  /** -1: any sizes; 0: none yet; else the one size, in milli. */
  gpuSlice = new Int32Array(0);
  up = new Uint8Array(0);
  offers = new Int32Array(0);
  repels = new Int32Array(0);
  /** Counts all changes of a slot, so that values computed from it can be kept beside it. */
  version = new Uint32Array(0);
  readonly changes = new ChangeLog();
  readonly models = new Names("GPU models");
  readonly traits = new Names("labels and taints");
  #ids: (string | undefined)[] = [];
  #held: Set<Held>[] = [];
  #spare: number[] = [];

  add(spec: HostSpec): number {
    if (spec.gpus.length > gpusPerHostMax) {
      throw new RangeError(`a host has at most ${gpusPerHostMax} GPUs, not ${spec.gpus.length}`);
    }
    const slot = this.#spare.pop() ?? this.slots++;
    if (slot >= this.up.length) this.#grow();
    for (const resource of resources) {
      const amount = spec.amounts[resource] ?? 0;
      if (!Number.isSafeInteger(amount) || amount < 0) {
        throw new RangeError(`${resource} of a host is a whole number from 0 on, not ${amount}`);
      }
      this.total[resource][slot] = amount;
      this.free[resource][slot] = amount;
    }
    let models = 0;
    for (const [number, gpu] of spec.gpus.entries()) {
      const at = slot * gpusPerHostMax + number;
      const bit = this.models.bits([gpu.model]);
      this.gpuFree[at] = wholeGpu;
      this.gpuModel[at] = bit;
      this.gpuSlice[at] = gpu.uniform === true ? 0 : -1;
      models |= bit;
    }
    this.gpuCount[slot] = spec.gpus.length;
    this.gpuFreeSum[slot] = spec.gpus.length * wholeGpu;
    this.gpuWholeFree[slot] = spec.gpus.length;
    this.gpuModels[slot] = models;
    this.offers[slot] = this.traits.bits(spec.offers ?? []);
    this.repels[slot] = this.traits.bits(spec.repels ?? []);
    this.up[slot] = 1;
    this.#ids[slot] = spec.id;
    this.#held[slot] = new Set();
    this.#changed(slot);
    return slot;
  }

  /** The host is gone, and so is everything that it held, which is answered. */
  remove(slot: number): readonly Held[] {
    const lost = [...this.#heldOn(slot)];
    this.up[slot] = 0;
    for (const resource of resources) {
      this.total[resource][slot] = 0;
      this.free[resource][slot] = 0;
    }
    this.gpuFree.fill(0, slot * gpusPerHostMax, (slot + 1) * gpusPerHostMax);
    this.gpuCount[slot] = 0;
    this.gpuFreeSum[slot] = 0;
    this.gpuWholeFree[slot] = 0;
    this.gpuModels[slot] = 0;
    this.#ids[slot] = undefined;
    this.#held[slot]?.clear();
    this.#spare.push(slot);
    this.#changed(slot);
    return lost;
  }

  /** Takes what the kind needs; throws where the host has not got it, with nothing taken. */
  place(slot: number, kind: Kind, gpus: readonly number[]): Held {
    const holders = this.#heldOn(slot);
    for (const { resource, amount } of kind.needs) {
      if ((this.free[resource][slot] ?? 0) < amount) throw new RangeError(`no ${resource} left`);
    }
    if (gpus.length !== kind.gpuCount || new Set(gpus).size !== gpus.length) {
      throw new RangeError(`${kind.gpuCount} different GPUs are needed, not ${gpus.join(", ")}`);
    }
    for (const number of gpus) {
      if (!this.takes(slot, number, kind)) throw new RangeError(`GPU ${number} has no room`);
    }
    for (const { resource, amount } of kind.needs) this.#move(resource, slot, -amount);
    for (const number of gpus) this.#moveGpu(slot, number, -kind.gpuMilli);
    const held: Held = { slot, kind, gpus };
    holders.add(held);
    this.#changed(slot);
    return held;
  }

  /** False when it holds nothing any more: released already, or lost with its host. */
  release(held: Held): boolean {
    if (this.#held[held.slot]?.delete(held) !== true) return false;
    for (const { resource, amount } of held.kind.needs) this.#move(resource, held.slot, amount);
    for (const number of held.gpus) this.#moveGpu(held.slot, number, held.kind.gpuMilli);
    this.#changed(held.slot);
    return true;
  }

  /** Has device `number` of the host room for what the kind needs of one device? */
  takes(slot: number, number: number, kind: Kind): boolean {
    const at = slot * gpusPerHostMax + number;
    if ((this.gpuFree[at] ?? 0) < kind.gpuMilli) return false;
    if (((this.gpuModel[at] ?? 0) & kind.models) === 0) return false;
    const slice = this.gpuSlice[at] ?? -1;
    return slice <= 0 || slice === kind.gpuMilli;
  }

  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  #heldOn(slot: number): Set<Held> {
    const held = this.#held[slot];
    if (held === undefined || this.up[slot] !== 1) throw new RangeError(`no host in slot ${slot}`);
    return held;
  }

  #move(resource: Resource, slot: number, by: number): void {
    const column = this.free[resource];
    column[slot] = (column[slot] ?? 0) + by;
  }

  #moveGpu(slot: number, number: number, by: number): void {
    const at = slot * gpusPerHostMax + number;
    const before = this.gpuFree[at] ?? 0;
    const after = before + by;
    this.gpuFree[at] = after;
    this.gpuFreeSum[slot] = (this.gpuFreeSum[slot] ?? 0) + by;
    const whole = (after === wholeGpu ? 1 : 0) - (before === wholeGpu ? 1 : 0);
    this.gpuWholeFree[slot] = (this.gpuWholeFree[slot] ?? 0) + whole;
    if (this.gpuSlice[at] !== -1) this.gpuSlice[at] = after === wholeGpu ? 0 : Math.abs(by);
  }

  #changed(slot: number): void {
    this.version[slot] = (this.version[slot] ?? 0) + 1;
    this.changes.add(slot);
  }

  #grow(): void {
    const size = Math.max(64, this.up.length * 2);
    for (const resource of resources) {
      this.total[resource] = wider(new Float64Array(size), this.total[resource]);
      this.free[resource] = wider(new Float64Array(size), this.free[resource]);
    }
    this.gpuCount = wider(new Int32Array(size), this.gpuCount);
    this.gpuFreeSum = wider(new Int32Array(size), this.gpuFreeSum);
    this.gpuWholeFree = wider(new Int32Array(size), this.gpuWholeFree);
    this.gpuModels = wider(new Int32Array(size), this.gpuModels);
    this.gpuFree = wider(new Int32Array(size * gpusPerHostMax), this.gpuFree);
    this.gpuModel = wider(new Int32Array(size * gpusPerHostMax), this.gpuModel);
    this.gpuSlice = wider(new Int32Array(size * gpusPerHostMax), this.gpuSlice);
    this.up = wider(new Uint8Array(size), this.up);
    this.offers = wider(new Int32Array(size), this.offers);
    this.repels = wider(new Int32Array(size), this.repels);
    this.version = wider(new Uint32Array(size), this.version);
  }
}

function columns(size: number): Columns {
  return {
    cpuMilli: new Float64Array(size),
    memoryMiB: new Float64Array(size),
    diskMiB: new Float64Array(size),
    hugePages2Mi: new Float64Array(size),
    hugePages1Gi: new Float64Array(size),
  };
}

function wider<T extends Int32Array | Uint8Array | Uint32Array | Float64Array>(to: T, from: T): T {
  to.set(from);
  return to;
}

/**
 * The hosts as the placement engine sees them: flat typed arrays, one slot per host, and the only
 * code that changes them. What must stay true: nothing that is placed here takes more than there is;
 * a change of a slot is in the change log before the call returns, because every cache (choose.ts)
 * lives by that log; the order of slots is the order in which ties are decided.
 */
import { gpusPerHostMax, resources, type Amounts, type Resource } from "./amounts.ts";
import { ChangeLog } from "./changes.ts";
import { put, wider } from "./columns.ts";
import { Gpus, type GpuSpec } from "./gpus.ts";
import type { Kind } from "./kind.ts";
import { Nodes, type NodeSpec } from "./nodes.ts";
import { stranger, Tenants } from "./tenants.ts";
import { Traits } from "./traits.ts";

export interface HostSpec {
  readonly id: string;
  readonly amounts: Amounts;
  /** What is taken of them already. */
  readonly used?: Amounts;
  readonly gpus: readonly GpuSpec[];
  /** NUMA nodes; without them the host counts as one. */
  readonly nodes?: readonly NodeSpec[];
  /** Labels, which a request may require. */
  readonly offers?: readonly string[];
  /** Taints, which a request must tolerate. */
  readonly repels?: readonly string[];
  /** Tenants with an instance here that wants to be apart from its own. */
  readonly apart?: readonly string[];
  /** `closed`: only what was here before comes back. `away`: nobody knows what it is. */
  readonly state?: "open" | "closed" | "down" | "away";
}

/** What one request holds of one host. */
export interface Held {
  readonly slot: number;
  readonly kind: Kind;
  /** Device numbers on the host, ascending. */
  readonly gpus: readonly number[];
  /** The NUMA node that it is bound to, or -1. */
  readonly node: number;
}

export interface Spot {
  readonly gpus: readonly number[];
  readonly node: number;
}

type Columns = Record<Resource, Float64Array>;

export const slotState = { none: 0, open: 1, closed: 2, down: 3, away: 4 } as const;

export class Fleet {
  /** Slots in use and slots given back; slots from here on were never used. */
  slots = 0;
  total: Columns = columns(0);
  free: Columns = columns(0);
  state = new Uint8Array(0);
  /** The number of the set of labels and taints. */
  traitSet = new Int32Array(0);
  /** Counts all changes of a slot, so that values computed from it can be kept beside it. */
  version = new Uint32Array(0);
  readonly changes = new ChangeLog();
  readonly tenants = new Tenants();
  readonly gpus = new Gpus(this.tenants);
  readonly nodes = new Nodes();
  readonly traits = new Traits();
  #ids: (string | undefined)[] = [];
  #held: Set<Held>[] = [];
  #apart: (readonly number[])[] = [];
  #spare: number[] = [];

  add(spec: HostSpec): number {
    const problem = problemOf(spec);
    if (problem !== undefined) throw new RangeError(problem);
    const slot = this.#spare.pop() ?? this.slots++;
    if (slot >= this.state.length) this.#grow();
    this.#ids[slot] = spec.id;
    this.#held[slot] = new Set();
    this.traitSet[slot] = this.traits.take([], []);
    this.#write(slot, spec);
    this.#changed(slot);
    return slot;
  }

  /**
   * The host is as given now, and what was placed here is in that: it is not held any more. A host
   * that is as it was costs nothing afterwards.
   */
  update(slot: number, spec: HostSpec): void {
    const problem = problemOf(spec);
    if (problem !== undefined) throw new RangeError(problem);
    this.#forget(slot);
    if (this.#write(slot, spec)) this.#changed(slot);
  }

  /** The host is gone, and so is everything that was placed on it, which is answered. */
  remove(slot: number): readonly Held[] {
    const lost = [...this.#heldOn(slot)];
    this.#forget(slot);
    this.#write(slot, { id: "", amounts: {}, gpus: [], state: "down" });
    this.traits.drop(this.traitSet[slot] ?? 0);
    this.state[slot] = slotState.none;
    this.#ids[slot] = undefined;
    this.#spare.push(slot);
    this.#changed(slot);
    return lost;
  }

  /** Takes what the kind needs; throws where the host has not got it, with nothing taken. */
  place(slot: number, kind: Kind, { gpus, node }: Spot): Held {
    const holders = this.#heldOn(slot);
    for (const { resource, amount } of kind.needs) {
      if ((this.free[resource][slot] ?? 0) < amount) throw new RangeError(`no ${resource} left`);
    }
    if (gpus.length !== kind.gpuCount || new Set(gpus).size !== gpus.length) {
      throw new RangeError(`${kind.gpuCount} different GPUs are needed, not ${gpus.join(", ")}`);
    }
    for (const number of gpus) {
      if (!this.gpus.takes(slot, number, kind)) throw new RangeError(`GPU ${number} has no room`);
    }
    if (node !== -1 && !this.nodes.takes(slot, node, kind)) {
      throw new RangeError(`NUMA node ${node} has no room`);
    }
    const held: Held = { slot, kind, gpus, node };
    this.#move(held, -1);
    holders.add(held);
    return held;
  }

  /** False when it holds nothing any more: released already, or lost with its host. */
  release(held: Held): boolean {
    if (this.#held[held.slot]?.delete(held) !== true) return false;
    this.#move(held, 1);
    return true;
  }

  idOf(slot: number): string | undefined {
    return this.#ids[slot];
  }

  #heldOn(slot: number): Set<Held> {
    const held = this.#held[slot];
    if (held === undefined || this.#ids[slot] === undefined) {
      throw new RangeError(`no host in slot ${slot}`);
    }
    return held;
  }

  #forget(slot: number): void {
    const holders = this.#heldOn(slot);
    for (const { kind } of holders) {
      if (isApart(kind)) this.tenants.apart.add(kind.tenant, slot, -1);
    }
    holders.clear();
  }

  #move({ slot, kind, gpus, node }: Held, by: 1 | -1): void {
    for (const { resource, amount } of kind.needs) {
      const column = this.free[resource];
      column[slot] = (column[slot] ?? 0) + by * amount;
    }
    for (const number of gpus) this.gpus.move(slot, number, kind, by);
    if (node !== -1) this.nodes.move(slot, node, kind, by);
    if (isApart(kind)) this.tenants.apart.add(kind.tenant, slot, by === -1 ? 1 : -1);
    this.#changed(slot);
  }

  /** True if anything is not as it was. */
  #write(slot: number, spec: HostSpec): boolean {
    let changed = false;
    for (const resource of resources) {
      const total = spec.amounts[resource] ?? 0;
      const free = total - (spec.used?.[resource] ?? 0);
      changed = put(this.total[resource], slot, total) || changed;
      changed = put(this.free[resource], slot, free) || changed;
    }
    changed = this.gpus.write(slot, spec.gpus) || changed;
    changed = this.nodes.write(slot, spec.nodes ?? []) || changed;
    changed = put(this.state, slot, slotState[spec.state ?? "open"]) || changed;
    const [now, offers, repels] = [this.traitSet[slot] ?? 0, spec.offers ?? [], spec.repels ?? []];
    if (!this.traits.is(now, offers, repels)) {
      this.traitSet[slot] = this.traits.take(offers, repels);
      this.traits.drop(now);
      changed = true;
    }
    // Anti-affinity is looked at with each choice, so it is no change of the scores.
    for (const tenant of this.#apart[slot] ?? []) this.tenants.apart.add(tenant, slot, -1);
    this.#apart[slot] = (spec.apart ?? []).map((tenantId) => this.tenants.number(tenantId));
    for (const tenant of this.#apart[slot]) this.tenants.apart.add(tenant, slot, 1);
    return changed;
  }

  #changed(slot: number): void {
    this.version[slot] = (this.version[slot] ?? 0) + 1;
    this.changes.add(slot);
  }

  #grow(): void {
    const size = Math.max(64, this.state.length * 2);
    for (const resource of resources) {
      this.total[resource] = wider(this.total[resource], size);
      this.free[resource] = wider(this.free[resource], size);
    }
    this.state = wider(this.state, size);
    this.traitSet = wider(this.traitSet, size);
    this.version = wider(this.version, size);
    this.gpus.grow(size);
    this.nodes.grow(size);
  }
}

function isApart(kind: Kind): boolean {
  return kind.apart && kind.tenant !== stranger;
}

/** What is used may be more than there is: a host that has shrunk. */
function problemOf({ amounts, used, gpus }: HostSpec): string | undefined {
  if (gpus.length > gpusPerHostMax) {
    return `a host has at most ${gpusPerHostMax} GPUs, not ${gpus.length}`;
  }
  for (const resource of resources) {
    const wrong = [amounts[resource] ?? 0, used?.[resource] ?? 0].find(
      (amount) => !Number.isSafeInteger(amount) || amount < 0,
    );
    if (wrong !== undefined) {
      return `${resource} of a host is a whole number from 0 on, not ${wrong}`;
    }
  }
  return undefined;
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

/**
 * The NUMA nodes of all hosts: what of each is left for work that is bound to one. Other work of a
 * host runs on any of them and counts against the host alone.
 */
import { nodesPerHostMax } from "./amounts.ts";
import { put, wider } from "./columns.ts";
import type { Kind } from "./kind.ts";

export interface NodeSpec {
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly cpuMilliUsed?: number;
  readonly memoryMiBUsed?: number;
}

export class Nodes {
  stride = 2;
  /** Per host; 0 where they are not known. */
  count = new Int32Array(0);
  /** Per node. */
  #cpuFree = new Float64Array(0);
  #memoryFree = new Float64Array(0);

  takes(slot: number, node: number, kind: Kind): boolean {
    const at = slot * this.stride + node;
    return (
      (this.#cpuFree[at] ?? 0) >= kind.cpuMilli && (this.#memoryFree[at] ?? 0) >= kind.memoryMiB
    );
  }

  cpuFree(slot: number, node: number): number {
    return this.#cpuFree[slot * this.stride + node] ?? 0;
  }

  move(slot: number, node: number, kind: Kind, by: 1 | -1): void {
    const at = slot * this.stride + node;
    this.#cpuFree[at] = (this.#cpuFree[at] ?? 0) + by * kind.cpuMilli;
    this.#memoryFree[at] = (this.#memoryFree[at] ?? 0) + by * kind.memoryMiB;
  }

  write(slot: number, all: readonly NodeSpec[]): boolean {
    const specs = all.slice(0, nodesPerHostMax);
    if (specs.length > this.stride) this.#restride(specs.length);
    let changed = put(this.count, slot, specs.length);
    for (const [node, spec] of specs.entries()) {
      const at = slot * this.stride + node;
      changed = put(this.#cpuFree, at, spec.cpuMilli - (spec.cpuMilliUsed ?? 0)) || changed;
      changed = put(this.#memoryFree, at, spec.memoryMiB - (spec.memoryMiBUsed ?? 0)) || changed;
    }
    return changed;
  }

  grow(slots: number): void {
    this.count = wider(this.count, slots);
    this.#cpuFree = wider(this.#cpuFree, slots * this.stride);
    this.#memoryFree = wider(this.#memoryFree, slots * this.stride);
  }

  #restride(nodes: number): void {
    const from = this.stride;
    while (this.stride < nodes) this.stride *= 2;
    const to = this.stride;
    const spread = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const fresh = new Float64Array(this.count.length * to);
      for (let slot = 0; slot < this.count.length; slot += 1) {
        fresh.set(old.subarray(slot * from, (slot + 1) * from), slot * to);
      }
      return fresh;
    };
    this.#cpuFree = spread(this.#cpuFree);
    this.#memoryFree = spread(this.#memoryFree);
  }
}

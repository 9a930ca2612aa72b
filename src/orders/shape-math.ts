/** What a machine is with so much more of it: the shape of a size plus expansions. Pure. */
import { withOwnLabelsOf } from "#flow/admit/shape.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import type { ElasticItem } from "./elastic.ts";

const mebibytesPerGib = 1024;

/** Throws `rule_violation` for GPUs of a model that the machine has none of. */
export function withItems(base: Shape, items: readonly ElasticItem[]): Shape {
  return items.reduce(withItem, base);
}

function withItem(shape: Shape, { sku, units }: ElasticItem): Shape {
  if (sku === "cpu.core") return withCores(shape, shape.vcpus + units);
  if (sku === "mem.gib") {
    return { ...shape, memoryMiB: shape.memoryMiB + units * mebibytesPerGib };
  }
  const { gpu } = shape;
  if (gpu === null || sku !== `gpu.${gpu.model}` || gpu.slice !== 1) {
    throw new Failure(
      "rule_violation",
      `The machine has no whole ${sku.replace(/^gpu\./, "")} to add to; it can be expanded by what it has: CPUs, memory${gpu === null ? "" : `, ${gpu.model}`}.`,
      { details: { sku } },
    );
  }
  return { ...shape, gpu: { ...gpu, count: gpu.count + units } };
}

/** In the topology that it has, where that divides; otherwise on one socket. */
function withCores(shape: Shape, vcpus: number): Shape {
  const { sockets, threads } = shape.cpu;
  const perCore = sockets * threads;
  const cpu =
    vcpus % perCore === 0
      ? { sockets, cores: vcpus / perCore, threads }
      : { sockets: 1, cores: vcpus, threads: 1 };
  return { ...shape, vcpus, cpu };
}

/**
 * The machine with the size of a term. Its disk is as large as its customer made it, and grows where another
 * flavor brings more; it never shrinks.
 */
export function intoSize(machine: Shape, size: Shape): Shape {
  const { diskGiB } = machine;
  const grown = size.flavor === machine.flavor ? diskGiB : Math.max(diskGiB, size.diskGiB);
  return withOwnLabelsOf(machine, { ...size, diskGiB: grown });
}

/** Whether it has no more of anything; disks apart. */
export function fitsIn(smaller: Shape, larger: Shape): boolean {
  return (
    smaller.vcpus <= larger.vcpus &&
    smaller.memoryMiB <= larger.memoryMiB &&
    (smaller.gpu?.count ?? 0) <= (larger.gpu?.count ?? 0)
  );
}

/** Whether the machine would not have to be changed; disks are the customer's own affair. */
export function isSameSize(a: Shape, b: Shape): boolean {
  return (
    a.vcpus === b.vcpus &&
    a.memoryMiB === b.memoryMiB &&
    (a.gpu?.count ?? 0) === (b.gpu?.count ?? 0)
  );
}

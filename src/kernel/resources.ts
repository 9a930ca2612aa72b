/**
 * The metered resources of a machine: which SKU it holds how much of. `units / slice` is the exact
 * quantity: a quarter of a GPU is 1 and 4, 512 MiB of memory 1 and 2 (GiB); storage is in bytes.
 */
import { rational } from "./rational.ts";
import { gibibyte, type Shape } from "./shape.ts";

export interface HeldResource {
  readonly sku: string;
  readonly units: bigint;
  readonly slice: bigint;
}

/** Held while the machine runs: given back when it stops. */
export function computeResources(shape: Shape): HeldResource[] {
  const memoryGib = rational(BigInt(shape.memoryMiB), 1024n);
  const resources: HeldResource[] = [
    { sku: "cpu.core", units: BigInt(shape.vcpus), slice: 1n },
    { sku: "mem.gib", units: memoryGib.numerator, slice: memoryGib.denominator },
  ];
  if (shape.gpu === null) return resources;
  const { model, count, slice } = shape.gpu;
  return [{ sku: `gpu.${model}`, units: BigInt(count), slice: BigInt(slice) }, ...resources];
}

/** Held as long as the disk exists. */
export function storageResources(shape: Shape): HeldResource[] {
  return [{ sku: "storage", units: BigInt(shape.diskGiB) * BigInt(gibibyte), slice: 1n }];
}

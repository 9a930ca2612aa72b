/** From a flavor of the catalog to the shape that travels with the request. Pure. */
import type { Flavor } from "#contract/schemas/catalog.ts";
import { Failure } from "#kernel/failure.ts";
import { driverBranch, gpuDriverLabel } from "#kernel/gpu-driver.ts";
import type { Shape } from "#kernel/shape.ts";

/**
 * As it is with this image: a part of a GPU wants a host whose driver is of the image's branch. Of an
 * image that nobody said a driver of, nothing is wanted.
 */
export function withDriverOf(shape: Shape, image: { readonly gpuDriver: string | null }): Shape {
  if (image.gpuDriver === null || shape.gpu === null || shape.gpu.slice === 1) return shape;
  const hostLabels = { ...shape.hostLabels, [gpuDriverLabel]: driverBranch(image.gpuDriver) };
  return { ...shape, hostLabels };
}

export function shapeOf(flavor: Flavor, change: { readonly diskGiB?: number | undefined }): Shape {
  const extra = flavor.extraDisks.reduce((sum, disk) => sum + disk.sizeGiB, 0);
  const diskGiB = change.diskGiB ?? flavor.diskGiB;
  if (diskGiB < flavor.diskGiB) {
    throw new Failure(
      "rule_violation",
      `A disk of ${diskGiB} GiB is smaller than the ${flavor.diskGiB} GiB of the flavor ${flavor.name}; ask for that or more.`,
      { details: { asked: diskGiB, minimum: flavor.diskGiB } },
    );
  }
  return {
    flavor: flavor.name,
    vcpus: flavor.vcpus,
    cpu: flavor.cpu,
    memoryMiB: flavor.memoryMiB,
    diskGiB: diskGiB + extra,
    gpu: flavor.gpu === null ? null : { ...flavor.gpu, nvlink: flavor.nvlink },
    serviceClass: flavor.serviceClass,
    overcommitPercent: flavor.overcommitPercent,
    hugePages: flavor.hugePages,
    hostLabels: flavor.placement.hostLabels,
    antiAffinity: flavor.placement.antiAffinity,
    tolerations: flavor.placement.tolerations,
    pool: flavor.pool,
    numa: flavor.numa,
  };
}

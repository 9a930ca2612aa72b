/** From a flavor of the catalog to the shape that travels with the request. Pure. */
import type { Flavor } from "#contract/schemas/catalog.ts";
import { Failure } from "#kernel/failure.ts";
import { askedDiskGiB, wholeDiskGiB } from "#kernel/flavor-disk.ts";
import { driverBranch, gpuDriverLabel } from "#kernel/gpu-driver.ts";
import { ownLabelsOf } from "#kernel/own-labels.ts";
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

/** `diskGiB`: as asked for with something new; the flavor's further disks come on top. */
export function shapeOf(flavor: Flavor, change: { readonly diskGiB?: number | undefined }): Shape {
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
    diskGiB: wholeDiskGiB(flavor, diskGiB),
    gpu: flavor.gpu === null ? null : { ...flavor.gpu, nvlink: flavor.nvlink },
    serviceClass: flavor.serviceClass,
    overcommitPercent: flavor.overcommitPercent,
    hugePages: flavor.hugePages,
    hostLabels: flavor.placement.hostLabels,
    antiAffinity: flavor.placement.antiAffinity,
    tolerations: flavor.placement.tolerations,
    pool: flavor.pool,
    numa: flavor.numa,
    ...(flavor.cpuModel === "host-passthrough" ? { cpuModel: flavor.cpuModel } : {}),
    ...(flavor.extraDisks.length > 0 ? { furtherDisks: flavor.extraDisks } : {}),
  };
}

/** What the image of a lease, and where its disk is, asked of hosts stays when it becomes another size. */
export function withOwnLabelsOf(from: Pick<Shape, "hostLabels">, to: Shape): Shape {
  return { ...to, hostLabels: { ...to.hostLabels, ...ownLabelsOf(from.hostLabels) } };
}

/**
 * Of a lease that is there and is to be of this flavor. `diskGiB`: the whole of its disk, as the lease shows
 * it; what it has stays, and grows where the flavor brings more.
 */
export function resizedShape(
  flavor: Flavor,
  from: Pick<Shape, "diskGiB" | "hostLabels">,
  { diskGiB }: { readonly diskGiB?: number | undefined },
): Shape {
  const asked = { diskGiB: askedDiskGiB(flavor, diskGiB ?? from.diskGiB) };
  const shape = withOwnLabelsOf(from, shapeOf(flavor, asked));
  if (diskGiB === undefined || diskGiB >= shape.diskGiB) return shape;
  throw new Failure(
    "rule_violation",
    `A disk of ${diskGiB} GiB is smaller than the ${shape.diskGiB} GiB of the flavor ${flavor.name}; ask for that or more.`,
    { details: { asked: diskGiB, minimum: shape.diskGiB } },
  );
}

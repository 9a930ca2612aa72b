/**
 * What a machine takes of its host beside what it was sold: memory of the program that runs it, CPU of
 * what watches over it. Platforms say it of their hosts as data; placement counts it, so that what it
 * places the platform can run too. Customers have no part in it: neither quota nor price knows of it.
 */
import { mebibyte, milliCpusOf, type Shape } from "./shape.ts";

/** Of one machine, at the most. */
export interface MachineCost {
  readonly memoryBytes: number;
  /** In addition for each of its vCPUs. */
  readonly memoryBytesPerVcpu: number;
  /** In addition if it has a GPU, however many. */
  readonly gpuMemoryBytes: number;
  readonly milliCpus: number;
  /** The platform keeps so much for each vCPU, though the flavor be sold more often than that. */
  readonly milliCpusPerVcpu: number;
  /** The machine's own memory is taken of these pages, which are none of the host's other memory. */
  readonly hugePages?: "2Mi" | "1Gi";
}

export type MachineCosts = Readonly<Record<Shape["serviceClass"], MachineCost>>;

export interface Taken {
  readonly milliCpus: number;
  readonly memoryMiB: number;
  readonly hugePages: Shape["hugePages"];
  readonly hugePagesMiB: number;
}

type Sized = Pick<
  Shape,
  "vcpus" | "overcommitPercent" | "memoryMiB" | "hugePages" | "gpu" | "serviceClass"
>;

/** What a machine of the shape takes of a host with these costs; of one that names none, what it was sold. */
export function takenBy(shape: Sized, costs: MachineCosts | null): Taken {
  const { hugePages, memoryMiB, vcpus } = shape;
  const milliCpus = milliCpusOf(shape);
  const hugePagesMiB = hugePages === "none" ? 0 : memoryMiB;
  if (costs === null) return { milliCpus, memoryMiB, hugePages, hugePagesMiB };
  const cost = costs[shape.serviceClass];
  const besides =
    cost.memoryBytes +
    vcpus * cost.memoryBytesPerVcpu +
    (shape.gpu === null ? 0 : cost.gpuMemoryBytes);
  const besidesMiB = Math.ceil(besides / mebibyte);
  return {
    milliCpus: Math.max(milliCpus, vcpus * cost.milliCpusPerVcpu) + cost.milliCpus,
    ...takenOf(memoryMiB, besidesMiB, cost.hugePages ?? hugePages),
  };
}

/** The machine's own memory is of pages, where it has some; what it takes besides never is. */
function takenOf(
  memoryMiB: number,
  besidesMiB: number,
  hugePages: Shape["hugePages"],
): Pick<Taken, "memoryMiB" | "hugePages" | "hugePagesMiB"> {
  return hugePages === "none"
    ? { memoryMiB: memoryMiB + besidesMiB, hugePages, hugePagesMiB: 0 }
    : { memoryMiB: besidesMiB, hugePages, hugePagesMiB: memoryMiB };
}

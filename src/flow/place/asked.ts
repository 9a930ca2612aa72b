/** An ask as the engine's request, and what is senseless about it whatever the hosts are. */
import { imageLabel, imageThere } from "#kernel/image-label.ts";
import { milliCpusOf, type Shape } from "#kernel/shape.ts";

import type { PlaceAsk } from "./ask.ts";
import { problemOf, sliceMilli, type PlacementRequest } from "./engine/kind.ts";

export interface Asked {
  readonly request: PlacementRequest;
  /** Shapes that need the same have the same key. */
  readonly key: string;
  /** In words; undefined where it makes sense. */
  readonly problem: string | undefined;
}

const mebibytesOfGibibyte = 1024;

/** Shapes are values, so what was made of one is kept as long as it is; by image, and by ''. */
const known = new WeakMap<Shape, Map<string, { anew: Asked; back: Asked }>>();

export function askedOf({ shape, pinned, image }: PlaceAsk): Asked {
  let ofShape = known.get(shape);
  if (ofShape === undefined) {
    ofShape = new Map();
    known.set(shape, ofShape);
  }
  let both = ofShape.get(image ?? "");
  if (both === undefined) {
    // What comes back to its disk holds that already, and needs no image for it.
    both = { anew: compiled(shape, shape.diskGiB, image), back: compiled(shape, 0) };
    ofShape.set(image ?? "", both);
  }
  return pinned === undefined ? both.anew : both.back;
}

function compiled(shape: Shape, diskGiB: number, image?: string): Asked {
  const { gpu } = shape;
  const request: PlacementRequest = {
    amounts: {
      cpuMilli: milliCpusOf(shape),
      memoryMiB: shape.memoryMiB,
      diskMiB: diskGiB * mebibytesOfGibibyte,
      ...(shape.hugePages === "2Mi" ? { hugePages2Mi: shape.memoryMiB } : {}),
      ...(shape.hugePages === "1Gi" ? { hugePages1Gi: shape.memoryMiB } : {}),
    },
    ...(gpu === null
      ? {}
      : {
          gpu: {
            count: gpu.count,
            slices: gpu.slice,
            milli: sliceMilli(gpu.slice),
            models: [gpu.model],
            linked: gpu.nvlink,
          },
        }),
    requires: [
      ...Object.entries(shape.hostLabels).map(labelOf),
      ...(image === undefined ? [] : [labelOf([imageLabel(image), imageThere])]),
    ],
    tolerates: shape.tolerations,
    oneNode: shape.numa,
    apart: shape.antiAffinity,
  };
  return { request, key: JSON.stringify(request), problem: problemOfShape(shape, request) };
}

/** A label as one word. */
export function labelOf([name, value]: readonly [string, string]): string {
  return `${name}=${value}`;
}

function problemOfShape(shape: Shape, request: PlacementRequest): string | undefined {
  if (!Number.isSafeInteger(shape.vcpus) || shape.vcpus < 1) {
    return `vCPUs are counted in whole numbers from 1 on, not ${shape.vcpus}.`;
  }
  if (!(shape.memoryMiB > 0)) return `A machine needs some memory, not ${shape.memoryMiB} MiB.`;
  if (shape.serviceClass === "core" && shape.overcommitPercent > 100) {
    return `Class core is never oversold, and ${shape.overcommitPercent} % was asked for.`;
  }
  if (!(shape.overcommitPercent >= 100)) {
    return `CPUs are oversold from 100 % on, not ${shape.overcommitPercent} %.`;
  }
  return problemOf(request);
}

/** An ask as the engine's request, and what is senseless about it whatever the hosts are. */
import { imageLabel, imageThere } from "#kernel/image-label.ts";
import type { WorkKind } from "#kernel/host-refuses.ts";
import { takenBy, type MachineCosts } from "#kernel/machine-cost.ts";
import type { Shape } from "#kernel/shape.ts";

import { workOfAsk, type PlaceAsk } from "./ask.ts";
import { problemOf, sliceMilli, type PlacementRequest } from "./engine/kind.ts";

export interface Asked {
  readonly request: PlacementRequest;
  /** Shapes that need the same have the same key. */
  readonly key: string;
  /** In words; undefined where it makes sense. */
  readonly problem: string | undefined;
}

const mebibytesOfGibibyte = 1024;

interface Both {
  readonly anew: Asked;
  readonly back: Asked;
}
type OfShapes = WeakMap<Shape, Map<string, Both>>;

/** Shapes are values, so what was made of one is kept as long as it is; by kind and image. */
const known: OfShapes = new WeakMap();
/** The same for hosts where a machine costs something besides. */
const knownWith = new WeakMap<MachineCosts, OfShapes>();

/** On hosts with these costs of a machine. */
export function askedOf(ask: PlaceAsk, costs: MachineCosts | null = null): Asked {
  const { shape, pinned, image } = ask;
  const work = workOfAsk(ask);
  const ofShapes = costs === null ? known : (knownWith.get(costs) ?? new WeakMap());
  if (costs !== null) knownWith.set(costs, ofShapes);
  let ofShape = ofShapes.get(shape);
  if (ofShape === undefined) {
    ofShape = new Map();
    ofShapes.set(shape, ofShape);
  }
  const of = `${work} ${image ?? ""}`;
  let both = ofShape.get(of);
  if (both === undefined) {
    // What comes back to its disk holds that already, and needs no image for it.
    const { diskGiB } = shape;
    both = {
      anew: compiled(shape, { diskGiB, costs, work, image }),
      back: compiled(shape, { diskGiB: 0, costs, work }),
    };
    ofShape.set(of, both);
  }
  return pinned === undefined ? both.anew : both.back;
}

function compiled(
  shape: Shape,
  of: {
    readonly diskGiB: number;
    readonly costs: MachineCosts | null;
    readonly work: WorkKind;
    readonly image?: string | undefined;
  },
): Asked {
  const { gpu } = shape;
  const { diskGiB, costs, work, image } = of;
  const { milliCpus, memoryMiB, hugePages, hugePagesMiB } = takenBy(shape, costs);
  const request: PlacementRequest = {
    amounts: {
      cpuMilli: milliCpus,
      memoryMiB,
      diskMiB: diskGiB * mebibytesOfGibibyte,
      ...(hugePages === "2Mi" ? { hugePages2Mi: hugePagesMiB } : {}),
      ...(hugePages === "1Gi" ? { hugePages1Gi: hugePagesMiB } : {}),
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
      startsWord(work),
      ...Object.entries(shape.hostLabels).map(labelOf),
      ...(image === undefined ? [] : [labelOf([imageLabel(image), imageThere])]),
    ],
    tolerates: shape.tolerations,
    oneNode: shape.numa,
    apart: shape.antiAffinity,
  };
  return { request, key: JSON.stringify(request), problem: problemOfShape(shape, request) };
}

/** What a host offers that starts work of the kind. */
export function startsWord(work: WorkKind): string {
  return labelOf(["millrace/starts", work]);
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

/**
 * What requests look like, for policies that ask (engine/policy.ts): the most frequent shapes of the
 * past with their shares.
 */
import { milliCpusOf, type Shape } from "#kernel/shape.ts";

import { sliceMilli } from "./engine/kind.ts";
import type { Names } from "./engine/names.ts";
import type { Demand } from "./engine/policy.ts";

/** Each is looked at for each host that changes. */
const shapesMax = 64;

/** How often a shape was asked for. */
export interface Asked {
  readonly shape: Shape;
  readonly count: number;
}

export function demandOf(history: readonly Asked[], models: Names): Demand {
  const alike = Map.groupBy(history, ({ shape: { vcpus, overcommitPercent, gpu } }) =>
    JSON.stringify([vcpus, overcommitPercent, gpu]),
  );
  const typical = [...alike.values()]
    .flatMap(([first, ...others]) =>
      first === undefined
        ? []
        : [{ shape: first.shape, count: others.reduce((n, { count }) => n + count, first.count) }],
    )
    .toSorted((a, b) => b.count - a.count)
    .slice(0, shapesMax);
  const sum = typical.reduce((all, { count }) => all + count, 0);
  return typical.map(({ shape, count }) => ({
    cpuMilli: milliCpusOf(shape),
    gpuCount: shape.gpu?.count ?? 0,
    gpuMilli: shape.gpu === null ? 0 : sliceMilli(shape.gpu.slice),
    models: shape.gpu === null ? -1 : models.known([shape.gpu.model]).bits,
    share: count / sum,
  }));
}

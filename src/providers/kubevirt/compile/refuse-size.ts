/** Sizes that no machine can have: zero, less, a part of one, more than can be counted. Part of `refuse.ts`. */
import type { CpuTopology } from "#providers/machine.ts";

import type { Refusal } from "./refusal.ts";

export function sizeRefusals(of: {
  readonly cpu?: CpuTopology | undefined;
  readonly memoryBytes?: number | undefined;
  readonly diskBytes?: number | undefined;
}): readonly Refusal[] {
  const sizes = {
    "CPU sockets": of.cpu?.sockets,
    "CPU cores": of.cpu?.cores,
    "CPU threads": of.cpu?.threads,
    "bytes of memory": of.memoryBytes,
    "bytes of disk": of.diskBytes,
  };
  return Object.entries(sizes).flatMap(([what, value]): readonly Refusal[] => {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return [];
    return [
      {
        code: "size_impossible",
        for: "operator",
        message: `A machine cannot have ${value} ${what}: it has a whole number of them, at least one. Change the flavor.`,
        details: { what, value: String(value) },
      },
    ];
  });
}

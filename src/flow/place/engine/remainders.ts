/**
 * How much of what is left on a device stays unsold in the end? The expectation when slices arrive as
 * the demand says and each is taken while it fits: nothing of 0, all of what is smaller than every
 * slice, in between the mean over the slices that fit of what remains after them.
 */
import { wholeGpu } from "./amounts.ts";
import type { Demand } from "./policy.ts";

/** By milli left, 0 to 1000: milli that stay, rounded to whole ones. */
export function remainders(demand: Demand): Int32Array {
  const shares = new Float64Array(wholeGpu + 1);
  for (const { gpuCount, gpuMilli, share } of demand) {
    if (gpuCount > 0 && gpuMilli < wholeGpu) {
      shares[gpuMilli] = (shares[gpuMilli] ?? 0) + share * gpuCount;
    }
  }
  const expected = new Float64Array(wholeGpu + 1);
  for (let left = 1; left <= wholeGpu; left += 1) {
    let weight = 0;
    let sum = 0;
    for (let slice = 1; slice <= left; slice += 1) {
      const share = shares[slice] ?? 0;
      weight += share;
      sum += share * (expected[left - slice] ?? 0);
    }
    expected[left] = weight === 0 ? left : sum / weight;
  }
  // Without any slice in the demand a whole device is not a remainder.
  return Int32Array.from(expected, (milli) => Math.round(milli));
}

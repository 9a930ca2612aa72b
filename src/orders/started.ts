/** Units of which the last one counts when it has begun. Pure. */

/** How many units of a size a quantity has begun: 24 h are one day, a moment more are two. */
export function startedUnits(quantity: bigint, size: bigint): bigint {
  return quantity <= 0n ? 0n : (quantity + size - 1n) / size;
}

/** Typed arrays that grow, and writes that say whether anything changed. */

type Column = Int32Array | Uint8Array | Uint32Array | Float64Array;

/** A copy with room for `size` numbers. */
export function wider<T extends Column>(from: T, size: number): T;
export function wider(from: Column, size: number): Column {
  const to = emptyLike(from, size);
  to.set(from.subarray(0, size));
  return to;
}

function emptyLike(from: Column, size: number): Column {
  if (from instanceof Int32Array) return new Int32Array(size);
  if (from instanceof Uint8Array) return new Uint8Array(size);
  return from instanceof Uint32Array ? new Uint32Array(size) : new Float64Array(size);
}

export function put(column: Column, at: number, value: number): boolean {
  if (column[at] === value) return false;
  column[at] = value;
  return true;
}

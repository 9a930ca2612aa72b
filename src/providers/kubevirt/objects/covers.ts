/**
 * Whether an object as the cluster tells it has all that we wrote, whatever else it has: defaults,
 * status, what others own. If not, somebody changed it, or it was never written whole.
 */
export function covers(seen: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(seen)) return false;
    // Others may not have a say in our lists; each of ours is at its place.
    return (
      seen.length === wanted.length && wanted.every((item, index) => covers(seen[index], item))
    );
  }
  if (typeof wanted !== "object" || wanted === null) return seen === wanted;
  if (typeof seen !== "object" || seen === null || Array.isArray(seen))
    return emptied(wanted, seen);
  const has = new Map<string, unknown>(Object.entries(seen));
  return Object.entries(wanted).every(
    ([key, value]) => value === undefined || covers(has.get(key), value),
  );
}

/** An empty object may be left out by who answers. */
function emptied(wanted: object, seen: unknown): boolean {
  return seen === undefined && Object.keys(wanted).length === 0;
}

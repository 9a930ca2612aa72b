/** Bytes for people: in steps of 1024, with at most one decimal. */
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

export function sizeText(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  const shown = at === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${shown} ${units[at] ?? "B"}`;
}

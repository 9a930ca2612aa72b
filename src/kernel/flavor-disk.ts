/**
 * How large the disk of a machine is, by its flavor: what is asked for, at least the flavor's own, and the
 * flavor's further disks on top. A lease shows the whole of it. Pure; server and console reckon alike.
 */
interface Disks {
  readonly diskGiB: number;
  readonly extraDisks: readonly { readonly sizeGiB: number }[];
}

/** What comes on top of whatever is asked for. */
function furtherGiB({ extraDisks }: Disks): number {
  return extraDisks.reduce((sum, { sizeGiB }) => sum + sizeGiB, 0);
}

/** Of a machine that asked for that much. */
export function wholeDiskGiB(flavor: Disks, asked: number = flavor.diskGiB): number {
  return asked + furtherGiB(flavor);
}

/** What to ask for so that a machine has at least so much in all; never less than the flavor's own. */
export function askedDiskGiB(flavor: Disks, whole: number): number {
  return Math.max(flavor.diskGiB, whole - furtherGiB(flavor));
}

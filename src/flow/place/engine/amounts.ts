/** What hosts have and requests need, with units; and the limits of one host. */

/** Huge pages in MiB, like all memory. */
export const resources = [
  "cpuMilli",
  "memoryMiB",
  "diskMiB",
  "hugePages2Mi",
  "hugePages1Gi",
] as const;
export type Resource = (typeof resources)[number];
export type Amounts = Readonly<Partial<Record<Resource, number>>>;

/** A GPU has 1000 milli, whatever its model; slices of it share them. */
export const wholeGpu = 1000;
export const gpusPerHostMax = 256;
export const nodesPerHostMax = 64;

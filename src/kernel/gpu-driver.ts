/**
 * GPU drivers of hosts and images (R-GPU-08). Who has a part of a device talks with its own driver to that
 * of the host, and both have to be of one branch: the first number of the version. Who has a whole
 * device has it alone, with the driver of his image, whatever the host runs.
 */

/** A label that every host has which says its driver: the branch of it. */
export const gpuDriverLabel = "millrace/gpu-driver";

/** "550.54.15" is of the branch "550". */
export function driverBranch(version: string): string {
  return version.split(".")[0] ?? version;
}

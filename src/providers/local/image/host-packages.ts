/**
 * The Debian packages that this machine needs, as the set-up knows them (bin/setup/host-packages.mjs):
 * one list, in host-packages.json, compiled into the program, so that `doctor` knows it also where there
 * are no sources.
 */
import { z } from "zod";

import hostPackagesJson from "./host-packages.json" with { type: "json" };

const hostPackage = z.object({
  name: z.string(),
  /** The program that proves that it is there. */
  command: z.string(),
  reason: z.string(),
});
export type HostPackage = z.infer<typeof hostPackage>;

const list = z.object({ packages: z.array(hostPackage) });

export function hostPackages(): readonly HostPackage[] {
  return list.parse(hostPackagesJson).packages;
}

export function installLine(packages: readonly string[]): string {
  return `apt-get install --no-install-recommends ${packages.join(" ")}`;
}

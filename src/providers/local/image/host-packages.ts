/**
 * The Debian packages that this machine needs, as the set-up knows them (bin/setup/host-packages.mjs):
 * one list, in host-packages.json, read from the source tree also when the compiled program runs.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { z } from "zod";

const hostPackage = z.object({
  name: z.string(),
  /** The program that proves that it is there. */
  command: z.string(),
  reason: z.string(),
});
export type HostPackage = z.infer<typeof hostPackage>;

const list = z.object({ packages: z.array(hostPackage) });
const projectRoot = resolve(import.meta.dirname, "../../../..");

export function hostPackages(): readonly HostPackage[] {
  const path = join(projectRoot, "src/providers/local/image/host-packages.json");
  return list.parse(JSON.parse(readFileSync(path, "utf8"))).packages;
}

export function installLine(packages: readonly string[]): string {
  return `apt-get install --no-install-recommends ${packages.join(" ")}`;
}

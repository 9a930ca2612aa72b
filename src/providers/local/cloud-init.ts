/**
 * The disk with a machine's cloud-init data, `seed.iso` in its directory. It is written once, before
 * the machine's own disk, and stays with it: at every later boot cloud-init finds the same instance
 * on it and does nothing twice. User data may hold secrets, so only the machine's QEMU may read it.
 */
import { chmod, open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { MachineSpec } from "#providers/provider.ts";

import { syncDirectory } from "./files.ts";
import { makeSeed } from "./image/seed.ts";
import { giveTo } from "./instance.ts";
import type { Site } from "./site.ts";

const seedMs = 30_000;

/** Whole or not at all; the second time is harmless. Under the machine's lock. */
export async function writeSeed(
  site: Site,
  path: string,
  spec: Pick<MachineSpec, "id" | "name" | "userData">,
  uid: number | null,
): Promise<void> {
  const { id: instanceId, name: hostname, userData } = spec;
  const draft = join(path, "seed.iso.tmp");
  await rm(draft, { force: true });
  // Made beforehand, because the directory can be passed by others and the program's mode is its own.
  await writeFile(draft, "", { mode: 0o600 });
  const seed = { instanceId, hostname, ...(userData === undefined ? {} : { userData }) };
  await makeSeed(draft, seed, AbortSignal.timeout(seedMs));
  await chmod(draft, 0o400);
  await giveTo(draft, uid, site.gid);
  const file = await open(draft, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(path, "seed.iso"));
  await syncDirectory(path);
}

/**
 * The driver's place on disk and what is fixed for its whole life. Everything under `root` belongs
 * to the driver:
 *
 *     site.json               who this site is: chosen once
 *     instances/<id>/         one directory per machine (instance.ts)
 *     operations/<id>.json    one file per mutation (operations.ts)
 *     slots/<n>               who holds which port and user id (slots.ts)
 *     networks/<name>/<n>     who holds which address in a tenant's network (network.ts)
 *     kept/<id>/              snapshots that outlived their machines (keep.ts)
 *     templates/, pool/       warm start (template.ts, pool.ts)
 *     trash/                  what is being removed
 */
import { createHash, randomBytes } from "node:crypto";
import { chown, link, mkdir, rm, writeFile } from "node:fs/promises";
import { existsSync, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";

import { errorCode, readIfThere, writeDurably } from "./files.ts";
import { createLocks, type Locks } from "./lock.ts";

export interface Site {
  readonly name: string;
  readonly root: string;
  readonly hostId: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly locks: Locks;
  /** Directory in memory for the RAM of warm machines; under root where there is no tmpfs. */
  readonly memoryRoot: string;
  /** First of the user ids that QEMU processes run as; undefined if we are not root. */
  readonly uidBase: number | undefined;
  readonly gid: number;
  readonly portBase: number;
  /** Keeps the network segments of two sites on one machine apart. */
  readonly salt: string;
  /** Tells this process's listeners that a machine may have changed. */
  readonly changed: (machineId: string) => void;
}

export interface SiteOptions {
  readonly name: string;
  readonly dataDirectory: string;
  readonly hostId?: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly changed: (machineId: string) => void;
}

export const slotsMax = 1000;
/** The ids of machines begin here; far from those of people. */
const firstUid = 200_000_000;

const siteSchema = z.object({ hostId: z.string(), salt: z.string() });
const folders = [
  "instances",
  "operations",
  "slots",
  "networks",
  "templates",
  "pool",
  "kept",
  "trash",
];

export async function openSite(options: SiteOptions): Promise<Site> {
  const path = join(options.dataDirectory, "local");
  for (const folder of folders) await mkdir(join(path, folder), { recursive: true, mode: 0o711 });
  const root = realpathSync(path);
  const chosen = await chooseOnce(root, options.hostId ?? hostname());
  const number = createHash("sha256").update(chosen.salt).digest().readUInt32BE(0);
  const isRoot = process.getuid?.() === 0;
  return {
    name: options.name,
    root,
    hostId: options.hostId ?? chosen.hostId,
    log: options.log,
    now: options.now,
    locks: createLocks(root),
    memoryRoot: memoryRootOf(root, chosen.salt),
    uidBase: isRoot ? firstUid + (number % 10_000) * slotsMax : undefined,
    gid: isRoot ? kvmGroup() : (process.getgid?.() ?? 0),
    // Below the ports that the kernel hands out by itself.
    portBase: 20_000 + (number % 12) * slotsMax,
    salt: chosen.salt,
    changed: options.changed,
  };
}

/** Two processes may start on an empty directory at once: `link` lets one of them win. */
async function chooseOnce(root: string, hostId: string): Promise<z.infer<typeof siteSchema>> {
  const path = join(root, "site.json");
  const salt = randomBytes(16).toString("hex");
  if ((await readIfThere(path)) === undefined) {
    const draft = `${path}.${salt}`;
    await writeDurably(draft, `${JSON.stringify({ hostId, salt })}\n`);
    try {
      await link(draft, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }
  return siteSchema.parse(JSON.parse((await readIfThere(path)) ?? ""));
}

/** The group that may open /dev/kvm, or one that may do nothing; never root's own. */
function kvmGroup(): number {
  try {
    const device = statSync("/dev/kvm");
    return (device.mode & 0o060) === 0o060 && device.gid !== 0 ? device.gid : firstUid;
  } catch {
    return firstUid;
  }
}

/** An account like those that machines run under; `undefined` where they run under ours. */
export function machineAccount(): { uid: number; gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: firstUid, gid: kvmGroup() } : undefined;
}

function memoryRootOf(root: string, salt: string): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : root;
  return join(parent, `millrace-${salt.slice(0, 16)}`);
}

/** A new file for a machine's memory, which QEMU opens and nobody else needs after that. */
export async function makeMemoryFile(
  site: Site,
  name: string,
  uid: number | null,
): Promise<string> {
  await mkdir(site.memoryRoot, { recursive: true, mode: 0o711 });
  const path = join(site.memoryRoot, name);
  await writeFile(path, "", { mode: 0o600 });
  if (uid !== null) await chown(path, uid, site.gid);
  return path;
}

/**
 * Networks. Every machine has two cards. The first leads to QEMU's own user-mode stack with
 * `restrict=on`: nothing gets out, and the only way in is the forward from a port on this host's
 * loopback to the guest's SSH port. The second is plugged into its tenant's Ethernet segment, a
 * multicast group on the loopback interface that only the QEMU processes of that network join. A
 * guest can send nothing but Ethernet frames to its own group, so machines of two networks never
 * see each other, and the host has no address on any segment. It needs no privileges.
 *
 * What it does not give: a wall against processes of this host that join a group on purpose. And
 * no machine reaches the internet.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import type { Segment } from "./arguments.ts";
import { errorCode } from "./files.ts";
import type { Site } from "./site.ts";

export interface TenantAddress {
  /** Dotted IPv4 address and prefix length of the second card. */
  readonly address: string;
  readonly prefixLength: number;
}

/** Of every machine on its first card: QEMU's own stack expects it there. */
export const accessAddress = "10.0.2.15/24";
const addressesMax = 4_000;
const prefixLength = 16;

/** Group and port of a network: 24 bits of group and 14 of port, so two sites never meet. */
export function segmentOf(site: Pick<Site, "salt">, network: string): Segment {
  const digest = createHash("sha256").update(`${site.salt}\0${network}`).digest();
  const group = `239.${digest.readUInt8(0)}.${digest.readUInt8(1)}.${digest.readUInt8(2)}`;
  return { group, port: 36_000 + (digest.readUInt16BE(3) % 16_000) };
}

/**
 * Of the first card of every machine: it shares its wire with nobody, and QEMU's stack, which
 * remembers the address from before a pool member was given away, goes on reaching it.
 */
export const accessMac = "52:54:00:00:00:01";

/** Of the second card: locally administered, unicast, following from the machine's id. */
export function tenantMacOf(id: string): string {
  const digest = createHash("sha256").update(id).digest();
  const bytes = [...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, "0"));
  return ["56", ...bytes].join(":");
}

/** Takes an address for the machine, or gives the one that it has. */
export async function takeAddress(
  site: Site,
  network: string,
  machineId: string,
): Promise<TenantAddress> {
  const folder = join(site.root, "networks", folderOf(network));
  await mkdir(folder, { recursive: true });
  return site.locks.hold(`net-${folderOf(network)}`, async () => {
    const taken = await holders(folder);
    for (const [number, holder] of taken) if (holder === machineId) return addressOf(number);
    for (let number = 0; number < addressesMax; number += 1) {
      if (taken.has(number)) continue;
      await writeFile(join(folder, String(number)), machineId, { flag: "wx" });
      return addressOf(number);
    }
    throw new ProviderError(
      "capacity",
      `Network ${network} has ${addressesMax} machines already.`,
      {
        effect: "none",
      },
    );
  });
}

export async function releaseAddress(
  site: Site,
  network: string,
  machineId: string,
): Promise<void> {
  const folder = join(site.root, "networks", folderOf(network));
  await site.locks.hold(`net-${folderOf(network)}`, async () => {
    for (const [number, holder] of await holders(folder)) {
      if (holder === machineId) await rm(join(folder, String(number)), { force: true });
    }
  });
}

/** Frees addresses whose machine is gone. */
export async function collectAddresses(site: Site, machines: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(join(site.root, "networks"))) {
    const folder = join(site.root, "networks", name);
    await site.locks.hold(`net-${name}`, async () => {
      for (const [number, holder] of await holders(folder)) {
        if (!machines.has(holder)) await rm(join(folder, String(number)), { force: true });
      }
    });
  }
}

async function holders(folder: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  try {
    for (const name of await readdir(folder)) {
      found.set(Number(name), await readFile(join(folder, name), "utf8"));
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return found;
}

/** 10.83.0.0/16 in every network: they never meet, so they need not differ. From .1.10 on. */
function addressOf(number: number): TenantAddress {
  const host = 256 + 10 + number;
  return { address: `10.83.${Math.floor(host / 256)}.${host % 256}`, prefixLength };
}

function folderOf(network: string): string {
  return createHash("sha256").update(network).digest("hex").slice(0, 24);
}

/**
 * The disk from which cloud-init takes its data (its NoCloud form): an ISO 9660 volume named
 * CIDATA, made as a file, so that a host need not mount anything. Images with our agent need it
 * only for user data of the customer; foreign images get everything by it: account, keys, network.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { NetworkEntry } from "#providers/local/guest/protocol.ts";

import { runProgram } from "./program.ts";

export interface Seed {
  readonly instanceId: string;
  readonly hostname: string;
  /** The customer's own cloud-init data, as he wrote it. */
  readonly userData?: string;
  /** For images without our agent: who may log in, with the right to become root. */
  readonly account?: { readonly name: string; readonly authorizedKeys: readonly string[] };
  /** For images without our agent: cards by their hardware address. Others ask DHCP. */
  readonly network?: readonly (NetworkEntry & { readonly mac: string })[];
}

/** Writes the seed disk to `path`. */
export async function makeSeed(path: string, seed: Seed, signal: AbortSignal): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-seed-"));
  try {
    const files = seedFiles(seed);
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const names = Object.keys(files);
    const volume = ["-quiet", "-output", path, "-volid", "CIDATA", "-joliet", "-rock"];
    await runProgram("genisoimage", [...volume, ...names], { signal, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The files of the seed. They are JSON, which YAML readers read, so nothing needs quoting. */
export function seedFiles(seed: Seed): Readonly<Record<string, string>> {
  const metaData = { "instance-id": seed.instanceId, "local-hostname": seed.hostname };
  return {
    "meta-data": `${JSON.stringify(metaData)}\n`,
    "user-data": seed.userData ?? "#cloud-config\n{}\n",
    // Vendor data is ours: where the customer's user data says otherwise, that is followed.
    "vendor-data": `#cloud-config\n${JSON.stringify(vendorData(seed))}\n`,
    ...(seed.network === undefined
      ? {}
      : { "network-config": `${JSON.stringify(networkConfig(seed.network))}\n` }),
  };
}

function vendorData({ account }: Seed): Readonly<Record<string, unknown>> {
  if (account === undefined) return {};
  const { name, authorizedKeys } = account;
  if (name === "root") return { disable_root: false, ssh_authorized_keys: authorizedKeys };
  const user = {
    name,
    gecos: name,
    shell: "/bin/bash",
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    lock_passwd: true,
    ssh_authorized_keys: authorizedKeys,
  };
  return { users: [user] };
}

function networkConfig(
  network: readonly (NetworkEntry & { readonly mac: string })[],
): Readonly<Record<string, unknown>> {
  const ethernets = network.map((entry, index) => {
    const { mac, address, gateway, dns } = entry;
    const card = {
      match: { macaddress: mac },
      addresses: [address],
      ...(gateway === undefined ? {} : { routes: [{ to: "0.0.0.0/0", via: gateway }] }),
      ...(dns === undefined ? {} : { nameservers: { addresses: dns } }),
    };
    return [`card${index}`, card] as const;
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) };
}

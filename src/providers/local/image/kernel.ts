/**
 * What a boot needs out of Debian's kernel package: the unpacked kernel, which starts through PVH
 * a second sooner than the packed one under emulation, and the few modules that find the disk, the
 * network and the agent's channel.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { assert } from "#kernel/assert.ts";
import { ProviderError } from "#providers/provider.ts";

import { runProgram } from "./program.ts";

const signatureMagic = Buffer.from("~Module signature appended~\n");

/** Modules that every machine needs at boot, by name; what they depend on is found. */
export const bootModules = [
  "virtio_pci",
  "virtio_blk",
  "virtio_console",
  "virtio_net",
  "virtio-rng",
] as const;

/** Unpacks the ELF kernel in a bzImage (Documentation/x86/boot.rst: payload_offset and _length). */
export async function unpackKernel(
  imagePath: string,
  targetPath: string,
  signal: AbortSignal,
): Promise<void> {
  const image = await readFile(imagePath);
  assert(image.toString("latin1", 0x202, 0x206) === "HdrS", `${imagePath} is no bzImage`);
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const length = image.readUInt32LE(0x24c);
  // The last four bytes are the unpacked size, which no unpacker knows of.
  const payload = image.subarray(start, start + length - 4);
  const kernel = await unpack(payload, targetPath, signal);
  assert(kernel.toString("latin1", 1, 4) === "ELF", "the kernel's payload is no ELF file");
  await writeFile(targetPath, kernel);
}

async function unpack(payload: Buffer, besidePath: string, signal: AbortSignal): Promise<Buffer> {
  const magic = payload.readUInt32LE(0);
  if ((magic & 0xffff) === 0x8b1f) return gunzipSync(payload);
  if (magic === 0xfd2fb528) return zstdDecompressSync(payload);
  const tools: Readonly<Record<number, readonly string[]>> = {
    0x184c2102: ["lz4", "-dqf"],
    0x587a37fd: ["xz", "-dkqf", "--suffix=.packed"],
  };
  const [tool, ...flags] = tools[magic] ?? [];
  if (tool === undefined) {
    const form = `0x${magic.toString(16)}`;
    throw new ProviderError("unavailable", `The kernel is packed in an unknown form, ${form}.`, {
      effect: "none",
    });
  }
  const packed = `${besidePath}.packed`;
  await writeFile(packed, payload);
  const target = tool === "lz4" ? [packed, besidePath] : [packed];
  await runProgram(tool, [...flags, ...target], { signal });
  return readFile(besidePath);
}

export interface KernelModule {
  readonly name: string;
  readonly data: Buffer;
}

/** The named modules and all they depend on, each after what it needs, without signatures. */
export async function loadModules(
  modulesDirectory: string,
  names: readonly string[],
): Promise<KernelModule[]> {
  const listing = await readFile(join(modulesDirectory, "modules.order"), "utf8");
  const paths = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const name = /([^/]+)\.ko$/.exec(line)?.[1];
    if (name !== undefined) paths.set(plain(name), line);
  }
  const loaded = new Map<string, KernelModule>();
  const visit = async (name: string): Promise<void> => {
    const path = paths.get(plain(name));
    if (path === undefined || loaded.has(plain(name))) return;
    const data = withoutSignature(await readFile(join(modulesDirectory, path)));
    for (const needed of dependencies(data)) await visit(needed);
    loaded.set(plain(name), { name: plain(name), data });
  };
  for (const name of names) await visit(name);
  return [...loaded.values()];
}

function plain(name: string): string {
  return name.replaceAll("-", "_");
}

/** The `depends=` of a module's information section; absent when it is built on the kernel alone. */
export function dependencies(module: Buffer): string[] {
  const at = module.indexOf("\0depends=");
  if (at < 0) return [];
  const start = at + "\0depends=".length;
  const text = module.toString("latin1", start, module.indexOf(0, start));
  return text.split(",").filter((name) => name !== "");
}

/** Checking a signature costs an emulated machine time, and this kernel does not demand one. */
export function withoutSignature(module: Buffer): Buffer {
  if (!module.subarray(-signatureMagic.length).equals(signatureMagic)) return module;
  const end = module.length - signatureMagic.length;
  const signatureBytes = module.readUInt32BE(end - 4);
  return module.subarray(0, end - 12 - signatureBytes);
}

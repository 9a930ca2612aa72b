/** Reading kernel modules: dependencies, and cutting signatures off. */
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { dependencies, loadModules, withoutSignature } from "./kernel.ts";

const body = (needs: string): Buffer => Buffer.from(`\x7fELF\0license=GPL\0depends=${needs}\0end`);

function signed(module: Buffer): Buffer {
  const signature = Buffer.alloc(300, 0xab);
  const trailer = Buffer.alloc(12);
  trailer.writeUInt32BE(signature.length, 8);
  const magic = Buffer.from("~Module signature appended~\n");
  return Buffer.concat([module, signature, trailer, magic]);
}

test("a signature is cut off, and what has none stays", () => {
  expect(withoutSignature(signed(body("a")))).toEqual(body("a"));
  expect(withoutSignature(body("a"))).toEqual(body("a"));
});

test("dependencies are read from a module's information", () => {
  expect(dependencies(body("virtio,virtio_ring"))).toEqual(["virtio", "virtio_ring"]);
  expect(dependencies(body(""))).toEqual([]);
  expect(dependencies(Buffer.from("no information"))).toEqual([]);
});

test("modules come after what they depend on, once each, and built-in ones not at all", async () => {
  const directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  try {
    const needs = { ring: "", core: "ring", "disk-driver": "core,ring", net: "core" };
    await mkdir(join(directory, "kernel"));
    for (const [name, needed] of Object.entries(needs)) {
      await writeFile(join(directory, `kernel/${name}.ko`), signed(body(needed)));
    }
    const order = Object.keys(needs).map((name) => `kernel/${name}.ko\n`);
    await writeFile(join(directory, "modules.order"), order.join(""));
    const loaded = await loadModules(directory, ["disk_driver", "net", "built-in"]);
    expect(loaded.map(({ name }) => name)).toEqual(["ring", "core", "disk_driver", "net"]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

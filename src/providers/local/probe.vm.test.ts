/** The KVM probe on this host, whatever this host can do. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { ensureImage, type BuiltImage } from "./image/image.ts";
import { probeAccelerator, type ProbeOptions } from "./probe.ts";
import { bootId } from "./process.ts";
import { findQemu } from "./qemu.ts";

const cacheDirectory =
  process.env["MILLRACE_IMAGE_CACHE"] ?? join(process.cwd(), ".cache", "images");

let scratch: string;
let image: BuiltImage;
let options: ProbeOptions;

beforeAll(async () => {
  const signal = AbortSignal.timeout(200_000);
  image = await ensureImage({ name: "tiny", cacheDirectory, report: () => {}, signal });
});

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "millrace-test-"));
  const signal = AbortSignal.timeout(30_000);
  options = { image, qemu: await findQemu(), cacheFile: join(scratch, "probe.json"), signal };
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

test("decides in time, says why, and remembers it", async () => {
  const startedAt = performance.now();
  const first = await probeAccelerator(options);
  expect(performance.now() - startedAt).toBeLessThan(25_000);
  expect(first.reason).toMatch(first.kind === "kvm" ? /booted with KVM/ : /emulated/);
  if (!existsSync("/dev/kvm")) return;
  const again = { ...options, qemu: { ...options.qemu, system: "/no/such/program" } };
  expect(await probeAccelerator(again)).toEqual(first);
});

test("asks again after a restart of the host, or if the answer cannot be read", async () => {
  const { version: qemuVersion } = options.qemu;
  const kept = { bootId: "another", qemuVersion, user: "ours", works: true, saw: "old" };
  const another = { ...kept, bootId: bootId(), user: "1:1" };
  for (const text of [JSON.stringify(kept), JSON.stringify(another), "{", "{}"]) {
    await writeFile(options.cacheFile, text);
    expect((await probeAccelerator(options)).reason).not.toBe("old");
  }
});

test("a host without the device, or where it may not be opened, emulates and says so", async () => {
  const device = join(scratch, "kvm");
  const answer = await probeAccelerator({ ...options, device });
  expect(answer).toMatchObject({ kind: "tcg", reason: expect.stringContaining("has no") });
  await expect(readFile(options.cacheFile)).rejects.toThrow("ENOENT");
});

const machineUser = { uid: 200_000_999, gid: 200_000_999 };
const asRoot = process.getuid?.() === 0;

test.skipIf(!asRoot)("a device that only root may open is no KVM for machines", async () => {
  const device = join(scratch, "kvm");
  await chmod(scratch, 0o711);
  await writeFile(device, "", { mode: 0o600 });
  const answer = await probeAccelerator({ ...options, device, user: machineUser });
  expect(answer.kind).toBe("tcg");
  expect(answer.reason).toContain("mode 0600");
  expect(answer.reason).toContain(`chgrp kvm ${device} && chmod 0660 ${device}`);
  await expect(readFile(options.cacheFile)).rejects.toThrow("ENOENT");
});

test.skipIf(!asRoot)("the probe machine is the user's, and finds its files", async () => {
  const device = join(scratch, "kvm");
  const asks = join(scratch, "asks");
  await chmod(scratch, 0o711);
  await writeFile(device, "");
  await chmod(device, 0o666);
  // In QEMU's place, a program that says who it is and whether it can read what it was given.
  await writeFile(asks, '#!/bin/sh\necho "$(id -u):$(id -g) $(cat kernel initrd | wc -c)" >&2\n');
  await chmod(asks, 0o755);
  // As a data directory is: with no way through it but for its owner.
  const data = join(scratch, "data");
  await mkdir(data, { mode: 0o700 });
  const bytes = (await stat(image.kernelPath)).size + (await stat(image.initrdPath)).size;
  const qemu = { ...options.qemu, system: asks };
  const cacheFile = join(data, "probe.json");
  const asked = { ...options, qemu, device, cacheFile, user: machineUser };
  const { reason } = await probeAccelerator(asked);
  expect(reason).toContain(`200000999:200000999 ${bytes}`);
});

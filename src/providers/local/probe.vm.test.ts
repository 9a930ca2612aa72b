/** The KVM probe on this host, whatever this host can do. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { ensureImage, type BuiltImage } from "./image/image.ts";
import { probeAccelerator, type ProbeOptions } from "./probe.ts";
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
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  expect(first.reason).toMatch(first.kind === "kvm" ? /booted with KVM/ : /emulated/);
  if (!existsSync("/dev/kvm")) return;
  const again = { ...options, qemu: { ...options.qemu, system: "/no/such/program" } };
  expect(await probeAccelerator(again)).toEqual(first);
});

test("asks again after a restart of the host, or if the answer cannot be read", async () => {
  const kept = { bootId: "another", qemuVersion: options.qemu.version, works: true, saw: "old" };
  for (const text of [JSON.stringify(kept), "{", "{}"]) {
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

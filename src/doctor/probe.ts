/**
 * How machines run here. The presence of /dev/kvm proves little (a para-virtual KVM may hang every
 * guest), its absence everything: where there is one, a probe machine decides, with the guest image
 * that the first start of Millrace put into the cache.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { ensureImage } from "#providers/local/image/image.ts";
import { probeAccelerator } from "#providers/local/probe.ts";
import { findQemu } from "#providers/local/qemu.ts";
import { machineAccount } from "#providers/local/site.ts";

import type { Execution, Facts } from "./facts.ts";

const probeTimeoutMs = 60_000;

/** `undefined` if there is no image yet to boot: a doctor looks, and builds nothing. */
export async function probeMachine(imageCache: string): Promise<Execution | undefined> {
  const cached = await readdir(imageCache).catch(() => []);
  if (!cached.some((name) => name.startsWith("tiny-"))) return undefined;
  const signal = AbortSignal.timeout(probeTimeoutMs);
  try {
    const image = await ensureImage({
      name: "tiny",
      cacheDirectory: imageCache,
      report: () => undefined,
      signal,
    });
    const qemu = await findQemu();
    const cacheFile = join(imageCache, "doctor-probe.json");
    // As the server does it: machines of a server under root run under other accounts.
    const user = machineAccount();
    const asked = { image, qemu, cacheFile, signal, ...(user === undefined ? {} : { user }) };
    const { kind, reason } = await probeAccelerator(asked);
    return { kind: kind === "kvm" ? "kvm" : "emulated", reason };
  } catch (cause) {
    return { kind: "unknown", reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

export function executionWithoutProbe(kvmDevice: Facts["kvmDevice"], hasQemu: boolean): Execution {
  if (!hasQemu) return { kind: "unknown", reason: "QEMU is missing" };
  if (kvmDevice === "absent") return { kind: "emulated", reason: "there is no /dev/kvm" };
  if (kvmDevice === "closed") return { kind: "emulated", reason: "/dev/kvm may not be opened" };
  return { kind: "unknown", reason: "there is a /dev/kvm, but only a probe machine can prove it" };
}

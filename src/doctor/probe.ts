/**
 * How machines run here, as far as it shows without booting one: the presence of /dev/kvm proves
 * little (a para-virtual KVM may hang every guest), its absence everything.
 */
import type { Execution, Facts } from "./facts.ts";

export function executionWithoutProbe(kvmDevice: Facts["kvmDevice"], hasQemu: boolean): Execution {
  if (!hasQemu) return { kind: "unknown", reason: "QEMU is missing" };
  if (kvmDevice === "absent") return { kind: "emulated", reason: "there is no /dev/kvm" };
  if (kvmDevice === "closed") return { kind: "emulated", reason: "/dev/kvm may not be opened" };
  return { kind: "unknown", reason: "there is a /dev/kvm, but only a probe machine can prove it" };
}

/** What the simulated platform can do, and why not the rest. */
import type { Capabilities, Capability } from "#providers/provider.ts";

const yes: Capability = { can: true };

export const simulatedCapabilities: Capabilities = {
  snapshotWithMemory: yes,
  snapshotDiskOnly: yes,
  keepSnapshot: yes,
  clone: yes,
  resizeCpuLive: yes,
  resizeMemoryLive: yes,
  diskGrow: yes,
  diskGrowLive: yes,
  resizeGpus: yes,
  pause: yes,
  startElsewhere: no("the disk of a simulated machine is on its host"),
  moveLive: yes,
  serialConsole: yes,
  vncConsole: no("a simulated machine has no screen"),
  warmStart: no("a simulated machine starts in the time that it was told to"),
  tenantNetwork: no("simulated machines send no packets"),
  outboundNetwork: no("simulated machines send no packets"),
  openings: no("simulated machines send no packets"),
  workloads: yes,
  gpus: yes,
  numaPinning: yes,
  exclusiveCpus: yes,
  idempotency: "client-id",
};

function no(because: string): Capability {
  return { can: false, because };
}

export const onlyOneHost = no("this site has one host: there is nowhere to move to");

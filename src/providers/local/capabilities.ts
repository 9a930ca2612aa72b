/** What this platform can do, and why not. */
import type { Capabilities, Capability } from "#providers/provider.ts";

import type { Driver } from "./driver.ts";
import { numaNodes } from "./numa.ts";

const yes: Capability = { can: true };

export function capabilitiesOf({ offered }: Driver): Capabilities {
  return {
    snapshotWithMemory: yes,
    snapshotDiskOnly: yes,
    keepSnapshot: yes,
    clone: no(
      "a snapshot lies inside the disk of its machine, which only that machine's QEMU may read as long as it is there",
    ),
    resizeCpuLive: yes,
    resizeMemoryLive: yes,
    diskGrow: yes,
    diskGrowLive: yes,
    resizeGpus: no("the local provider passes no devices to its machines"),
    pause: yes,
    startElsewhere: no("this site is one machine"),
    moveLive: no("this site is one machine: there is nowhere to move to"),
    serialConsole: yes,
    vncConsole: yes,
    warmStart: yes,
    tenantNetwork: yes,
    outboundNetwork: no(
      "machines of the local provider have no way to the internet: what leaves a guest reaches its tenant's own machines only",
    ),
    openings: no(
      "machines of the local provider are reached by SSH alone, through a port of this machine",
    ),
    workloads: yes,
    gpus: no("the local provider passes no devices to its machines"),
    numaPinning:
      numaNodes(offered).length > 0
        ? yes
        : no("this machine has one NUMA node: there is nothing to choose"),
    exclusiveCpus: no(
      "all that runs on this machine shares its CPUs; a machine gets as much time as it has CPUs, by a cgroup",
    ),
    idempotency: "client-id",
  };
}

function no(because: string): Capability {
  return { can: false, because };
}

/**
 * What a running machine does: CPU as the host sees it, network, memory and logins as the agent in the
 * guest does. A guest that does not answer leaves its figures out; it is never taken for an idle one.
 */
import type { Activity, ReadCall } from "#providers/provider.ts";

import { instancePath, readState } from "./instance.ts";
import { demandInterest } from "./operations.ts";
import type { Guest } from "./power.ts";
import { isAlive, usageOf } from "./process.ts";
import type { Site } from "./site.ts";

/** Undefined if it does not run. */
export async function activityOf(
  site: Site,
  guest: Guest,
  machineId: string,
  call: ReadCall,
): Promise<Activity | undefined> {
  demandInterest(call);
  const state = await readState(instancePath(site, machineId));
  const launch = state?.launch;
  if (!launch?.process || state?.power !== "running" || !isAlive(launch.process)) return undefined;
  const at = site.now();
  const usage = usageOf(launch.process.pid);
  const told =
    state.readyAt === null
      ? undefined
      : await guest.activity(machineId, launch).catch((error: unknown) => {
          site.log.debug({ err: error, machineId }, "the guest does not say what it does");
          return undefined;
        });
  const byGuest =
    told === undefined ? "the agent in the guest did not answer" : "agent in the guest";
  return {
    machineId,
    at,
    cpuSeconds: usage?.cpuSeconds ?? null,
    networkBytes: told?.networkBytes ?? null,
    memoryBytes: told?.memoryBytes ?? null,
    gpuShare: null,
    sessions: told?.sessions ?? null,
    seenBy: {
      cpu: usage === undefined ? "the process of QEMU is gone" : "CPU time of QEMU's process",
      network: byGuest,
      memory:
        told === undefined || told.memoryBytes !== undefined
          ? byGuest
          : "the agent in the guest is older",
      gpu: "the machine has no GPU",
      sessions: byGuest,
    },
  };
}

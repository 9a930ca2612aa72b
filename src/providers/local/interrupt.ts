/** Tells a running job to save its work and to end, or to go on after all. */
import { ProviderError, type Interruption } from "#providers/provider.ts";

import { instancePath, readState } from "./instance.ts";
import { notFound, type Guest } from "./power.ts";
import type { Site } from "./site.ts";

export async function interruptWorkload(
  site: Site,
  guest: Guest,
  machineId: string,
  how: Interruption,
): Promise<string | undefined> {
  const state = await readState(instancePath(site, machineId));
  if (state === undefined) throw notFound(machineId);
  if (state.workload?.state === "ended") return "the workload had ended already";
  if (state.power !== "running" || state.launch === null || state.workload === null) {
    throw new ProviderError("unavailable", "The workload does not run.", { effect: "none" });
  }
  try {
    await guest.interrupt(
      machineId,
      state.launch,
      how.to === "end" ? { graceMs: how.graceSeconds * 1000 } : {},
    );
    return undefined;
  } catch (cause) {
    // It may have heard us. Saying it again is harmless.
    const message = "The guest did not answer in time.";
    throw new ProviderError("unavailable", message, { effect: "maybe", cause });
  }
}

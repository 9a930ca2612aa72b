/** To another host while it runs: the first one that is up and has room. Pure. */
import { ProviderError } from "#providers/provider.ts";

import { demandOf, shortage } from "./capacity.ts";
import { refused } from "./guard.ts";
import type { SimulatedHost } from "./hosts.ts";
import type { Changed } from "./mutate.ts";
import type { View } from "./platform.ts";
import type { MachineState } from "./world.ts";

export function moved(
  machine: MachineState,
  to: {
    readonly view: View;
    readonly hosts: readonly SimulatedHost[];
    /** Anywhere else when left out. */
    readonly hostId: string | undefined;
  },
): Changed {
  const { view, hostId } = to;
  const { spec } = machine;
  if (hostId === spec.hostId) {
    return { machine, takesMs: 0, note: "[simulated] is there already" };
  }
  if (machine.power !== "running") throw refused(`a ${machine.power} machine cannot move`);
  if (spec.gpus.length > 0) throw refused("a machine with a GPU cannot move while it runs");
  const host = to.hosts.find(
    (each) =>
      each.id !== spec.hostId &&
      (hostId === undefined || each.id === hostId) &&
      !view.hostDown(each.id) &&
      shortage(each, view.beside(each.id), demandOf(machine)) === undefined,
  );
  if (host === undefined) {
    throw new ProviderError("capacity", "no other host has room for it", { effect: "none" });
  }
  return {
    machine: { ...machine, spec: { ...spec, hostId: host.id } },
    takesMs: 0,
    note: "[simulated]",
  };
}

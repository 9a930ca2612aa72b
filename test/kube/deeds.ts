/** What guests do, and people with rights in the cluster, past Millrace: each thing that can happen to a machine now. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { actOnInstance, actOnMachine } from "./api/actions.ts";
import { textAt } from "./api/json.ts";
import type { Place } from "./api/objects.ts";
import { remove } from "./api/removal.ts";
import type { TestCluster } from "./driver-cluster.ts";
import { byController } from "./node-side/writing.ts";
import type { Standing } from "./standing.ts";

export interface Deed {
  readonly what: string;
  readonly act: () => void | Promise<void>;
}

export function deeds(cluster: TestCluster, standing: Standing, place: Place): readonly Deed[] {
  const { nodes, server } = cluster;
  const { objects } = server;
  const strategy = textAt(standing.machine(place), "spec", "runStrategy");
  const phase = standing.phase(place);
  const ask = (action: string) => () => actOnMachine(objects, { place, action, body: {} });
  const set = (runStrategy: string): Deed => ({
    what: `${runStrategy} by hand`,
    act: () => {
      objects.patch(kinds.machine, place, { spec: { runStrategy } }, byController);
    },
  });
  const always = [set(strategy === "Halted" ? "RerunOnFailure" : "Halted")];
  if (phase === "") {
    // On a machine that is `Halted` KubeVirt would make it `Always`.
    return strategy === "Halted"
      ? always
      : [...always, { what: "start by hand", act: ask("start") }];
  }
  const deleted: Deed = {
    what: "run deleted by hand",
    act: () => {
      remove(objects, kinds.machineInstance, place, { propagation: "Background" });
    },
  };
  if (phase !== "Running") return [...always, deleted];
  const turn = standing.isPaused(place) ? "unpause" : "pause";
  return [
    ...always,
    deleted,
    { what: "guest crashed", act: () => nodes.guestEnds(place, "crashed") },
    { what: "guest shut down", act: () => nodes.guestEnds(place, "shut down") },
    { what: "restart by hand", act: ask("restart") },
    {
      what: `${turn} by hand`,
      act: () => actOnInstance(objects, { place, action: turn, body: {} }),
    },
  ];
}

/** Its end, which happens once. */
export function deletion({ server }: TestCluster, place: Place): Deed {
  return {
    what: "machine deleted by hand",
    act: () => {
      remove(server.objects, kinds.machine, place, { propagation: "Background" });
    },
  };
}

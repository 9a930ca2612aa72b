/**
 * Power, as KubeVirt takes it: `Halted` is off, `RerunOnFailure` is on until the guest ends by itself.
 * A stop and a reboot are actions, because only they take a grace; a start is the field, unless the field
 * says on already and the guest has ended.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { isTrue } from "#providers/kubevirt/observe/seen.ts";
import type { Call, OperationRef, PowerAction } from "#providers/provider.ts";

import { refused } from "./errors.ts";
import type { Doing, Found, Hands } from "./hands.ts";

const over = new Set(["Succeeded", "Failed"]);

export function power(
  hands: Hands,
  call: Call,
  machineId: string,
  action: PowerAction,
): Promise<OperationRef> {
  return hands.operate(call, { machineId, kind: action.to }, (found) =>
    doingOf(hands, call, found, action),
  );
}

function doingOf(hands: Hands, call: Call, found: Found, action: PowerAction): Doing {
  const { client } = hands;
  const { machine, instance } = found;
  const name = { namespace: machine.namespace, name: machine.name };
  const phase = instance?.seen.status?.phase ?? "";
  const isLive = instance !== undefined && !over.has(phase);
  const ofMachine = (what: string, body: Record<string, unknown>) => () =>
    client.act(call, kinds.machineAction, { name, action: what, body });
  const ofInstance = (what: string) => () =>
    client.act(call, kinds.machineInstanceAction, { name, action: what });
  const running = (): void => {
    if (phase !== "Running") throw refused(`machine ${machine.machineId} does not run`);
  };
  switch (action.to) {
    case "start":
      if (machine.seen.spec.runStrategy === "Halted") {
        return { patch: { spec: { runStrategy: "RerunOnFailure" } } };
      }
      return isLive ? {} : { act: ofMachine("start", {}) };
    case "stop":
      return isLive ? { act: ofMachine("stop", { gracePeriod: 0 }) } : halted(found);
    case "shutdown": {
      const { graceSeconds } = action;
      return isLive ? { act: ofMachine("stop", { gracePeriod: graceSeconds }) } : halted(found);
    }
    case "reboot": {
      running();
      const agent = instance !== undefined && isTrue(instance.seen, "AgentConnected");
      // In the same pod: a restart would make another run of it.
      return { act: ofInstance(agent ? "softreboot" : "reset"), onceOnly: true };
    }
    case "pause":
      running();
      return instance !== undefined && isTrue(instance.seen, "Paused")
        ? {}
        : { act: ofInstance("pause") };
    case "resume":
      running();
      return instance !== undefined && isTrue(instance.seen, "Paused")
        ? { act: ofInstance("unpause") }
        : {};
  }
}

/** It does not run; that it shall not is written down too. */
function halted({ machine }: Found): Doing {
  return machine.seen.spec.runStrategy === "Halted"
    ? {}
    : { patch: { spec: { runStrategy: "Halted" } } };
}

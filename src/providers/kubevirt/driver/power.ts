/**
 * Power, as KubeVirt takes it: `Halted` is off, `RerunOnFailure` is on until the guest ends by itself.
 * The field is what counts, so it is written with the operation; how long the guest is given is an action
 * after it. A start is the field too, unless it says on already and the guest has ended.
 */
import { setTimeout as rest } from "node:timers/promises";

import { StatusError } from "#providers/kubevirt/client/errors.ts";
import { backoffMs } from "#providers/kubevirt/client/retry.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { endPhases, isTrue } from "#providers/kubevirt/observe/seen.ts";
import { startsByItself } from "#providers/kubevirt/observe/starts.ts";
import {
  ProviderError,
  type Call,
  type OperationRef,
  type PowerAction,
} from "#providers/provider.ts";

import { placeToStart } from "./elsewhere.ts";
import { isConflict, refused } from "./errors.ts";
import type { Doing, Found, Hands } from "./hands.ts";
import type { KeptMachine } from "./kept.ts";
import { runAnnotation } from "./run-record.ts";

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

function doingOf(
  hands: Hands,
  call: Call,
  found: Found,
  action: PowerAction,
): Doing | Promise<Doing> {
  const { client } = hands;
  const { machine, instance } = found;
  const name = { namespace: machine.namespace, name: machine.name };
  const phase = instance?.seen.status?.phase ?? "";
  const isLive = instance !== undefined && !endPhases.has(phase);
  const ofInstance = (what: string) => () =>
    client.act(call, kinds.machineInstanceAction, { name, action: what });
  const running = (): void => {
    if (phase !== "Running") throw refused(`machine ${machine.machineId} does not run`);
  };
  switch (action.to) {
    case "start":
      if (machine.seen.spec.runStrategy === "Halted") return switchOn(hands, call, found, action);
      // While its disks are filled it waits. Asked again it would refuse, or start it once more later.
      return isLive || startsByItself(machine.seen)
        ? {}
        : { act: () => startAgain(hands, call, found) };
    case "stop":
      return isLive ? halt(hands, call, found, 0) : { patch: haltedPatch };
    case "shutdown":
      return isLive ? halt(hands, call, found, action.graceSeconds) : { patch: haltedPatch };
    case "reboot": {
      running();
      const agent = instance !== undefined && isTrue(instance.seen, "AgentConnected");
      // In the same pod: a restart would make another run of it.
      const reset = ofInstance("reset");
      const act = agent ? orReset(ofInstance("softreboot"), reset) : reset;
      return { act, onceOnly: true };
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

/** A guest whose agent answers and cannot do as it is told is rebooted all the same. */
function orReset(softly: () => Promise<unknown>, reset: () => Promise<unknown>) {
  return async (): Promise<void> => {
    try {
      await softly();
    } catch (error) {
      const isGuests = error instanceof StatusError && error.message.includes("SoftReboot failed");
      if (!isGuests) throw error;
      await reset();
    }
  };
}

async function switchOn(
  hands: Hands,
  call: Call,
  found: Found,
  { hostId }: Extract<PowerAction, { readonly to: "start" }>,
): Promise<Doing> {
  await demandOver(hands, call, found.machine);
  const place =
    hostId === undefined ? undefined : await placeToStart(hands, call, found.machine, hostId);
  const template = place === undefined ? {} : { template: place.template };
  return {
    patch: { spec: { runStrategy: "RerunOnFailure", ...template } },
    annotations: { ...runSoFar(hands, found.machine), ...place?.annotations },
  };
}

const overPauses = { firstDelayMs: 25, delayMaxMs: 1_000 };
const overLooksMax = 12;

/**
 * KubeVirt starts a machine because its strategy is another than the one it saw last, and notes each that it
 * sees. A start that overtakes the stop before it would change nothing in its eyes; one that it sees while
 * the run before is still going would be noted without being acted upon. The machine would stay off.
 */
async function demandOver(hands: Hands, call: Call, machine: KeptMachine): Promise<void> {
  const { machineId } = machine;
  for (let looks = 1; looks <= overLooksMax; looks += 1) {
    const { seen } = hands.view.machines.get(machineId) ?? machine;
    const isNoted = seen.status?.runStrategy !== "RerunOnFailure";
    if (isNoted && hands.view.instances.get(machineId) === undefined) return;
    await rest(backoffMs(overPauses, looks, Math.random()));
    await hands.look(call, machine);
  }
  throw new ProviderError(
    "unavailable",
    "The stop before this start is not over yet on the cluster. Ask again in a moment.",
    { effect: "none" },
  );
}

/** The guest ended by itself: its run goes when the next is made, so its end is written first. */
async function startAgain(hands: Hands, call: Call, found: Found): Promise<void> {
  const { namespace, name, seen } = found.machine;
  const { resourceVersion } = seen.metadata;
  const annotations = runSoFar(hands, found.machine);
  await hands.patchMachine(call, found.machine, { metadata: { resourceVersion, annotations } });
  const start = { name: { namespace, name }, action: "start" };
  await hands.client.act(call, kinds.machineAction, start);
}

/** How the run before ended is told by the field that is about to change: written down with the change. */
export function runSoFar(hands: Hands, machine: KeptMachine): Readonly<Record<string, string>> {
  const run = hands.view.runOf(machine);
  return run === undefined ? {} : runAnnotation(run);
}

const haltedPatch = { spec: { runStrategy: "Halted" } } as const;

/** Without the second step the guest is given its machine's own grace. */
export function halt(hands: Hands, call: Call, { machine }: Found, graceSeconds: number): Doing {
  return {
    patch: haltedPatch,
    afterwards: () => shortenGrace(hands, call, machine, graceSeconds),
  };
}

async function shortenGrace(
  hands: Hands,
  call: Call,
  { namespace, name }: KeptMachine,
  graceSeconds: number,
): Promise<void> {
  const body = { gracePeriod: graceSeconds };
  try {
    const stop = { name: { namespace, name }, action: "stop", body, repeatable: true } as const;
    await hands.client.act(call, kinds.machineAction, stop);
  } catch (error) {
    // It has ended meanwhile, or is given less time already.
    if (!isConflict(error)) throw error;
  }
}

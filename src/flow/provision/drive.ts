/**
 * From where the machine is to where it should be: at most one call per step. Pure.
 */
import type { Reason } from "#kernel/reason.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";
import type { Machine } from "#providers/provider.ts";

import { attemptSeen, wallOf } from "./attempt.ts";
import { moveArguments, resizeArguments, snapshotArguments, stopArguments } from "./arguments.ts";
import { interruptCall } from "./interruption.ts";
import { isNewStop, notBefore } from "./observe.ts";
import type { InstanceState, OperationEnd, OperationView, Step, View } from "./view.ts";

/** A machine that dies by itself this often is not started again. */
export const restartsMax = 5;

export type Goal = "running" | "stopped" | "gone";

export function goalOf(view: View): Goal {
  const { instance, request, placement, now } = view;
  if (request.ended || request.wanted === "released") return "gone";
  if (instance.kind === "job") {
    // Its gang went back into the line: this attempt is over, whatever it does.
    if (instance.turn !== request.turn) return "gone";
    return instance.workload?.state === "ended" || now >= wallOf(view) ? "gone" : "running";
  }
  if (request.wanted === "stopped") return "stopped";
  // Asked to run: but only with capacity that was granted for this ask.
  return placement.state === "full" && placement.turn === request.turn ? "running" : "stopped";
}

export function drive(view: View, step: Step, machine: Machine): Step {
  switch (goalOf(view)) {
    case "gone":
      return towardsGone(view, step, machine);
    case "stopped":
      return towardsStopped(view, step, machine);
    case "running":
      return towardsRunning(view, step, machine);
  }
}

function towardsGone(view: View, step: Step, machine: Machine): Step {
  const { instance, request } = view;
  const attemptEnded = instance.kind === "job" && attemptSeen(view, machine)?.state === "ended";
  // The log and the results are brought home before the machine goes.
  if (attemptEnded && !instance.collected && !request.ended && instance.state !== "deleting") {
    return { ...step, state: instance.state === "creating" ? "running" : instance.state };
  }
  return {
    ...step,
    state: "deleting",
    call: { kind: "delete", key: `${instance.id}:delete`, operationId: null },
  };
}

function towardsStopped(view: View, step: Step, machine: Machine): Step {
  const { instance, request, operations, now } = view;
  const stop = operations.find((operation) => operation.kind === "stop");
  if (machine.power.value === "stopped" && machine.comesOn !== true) {
    const settled = withSettledShape(view, step, machine);
    return {
      ...settled,
      state: "stopped",
      placement: "disk",
      patch: { ...settled.patch, readyAt: null, endpoints: [] },
      endedOperations: [
        ...step.endedOperations,
        ...succeeded(operations, ["stop"]),
        ...failed(
          operations,
          request.wanted === "stopped" ? needsRunning : ["reboot", "move"],
          stoppedBefore,
        ),
      ],
      ...otherWork(view, machine),
    };
  }
  if (machine.power.value === "unknown") return step;
  const key = `${stop?.id ?? `${instance.id}:${instance.turn}`}:stop`;
  const graceSeconds = stop === undefined ? 0 : stopArguments(stop.arguments).graceSeconds;
  return {
    ...step,
    state: "stopping",
    call: {
      kind: "shutdown",
      key,
      operationId: stop?.id ?? null,
      action: graceSeconds === 0 ? { to: "stop" } : { to: "shutdown", graceSeconds },
    },
    lookAgainAt: now + (graceSeconds + 1) * 1000,
  };
}

function towardsRunning(view: View, step: Step, machine: Machine): Step {
  const { instance, operations } = view;
  switch (machine.power.value) {
    case "unknown":
      return step;
    case "running":
    case "paused": {
      if (!machine.guest.ready) {
        const state: InstanceState = instance.state === "creating" ? "creating" : "starting";
        return { ...step, state };
      }
      const settled = withSettledShape(view, step, machine);
      return {
        ...settled,
        state: "running",
        patch: { ...settled.patch, reason: null },
        // A stop that was followed by a start has long been.
        endedOperations: [
          ...step.endedOperations,
          ...succeeded(operations, ["create", "start", "stop"]),
        ],
        ...otherWork(view, machine),
        ...interruptCall(view, step, machine),
      };
    }
    case "stopped":
      return start(view, step, machine);
  }
}

function start(view: View, step: Step, machine: Machine): Step {
  const { instance, request, operations, now } = view;
  if (instance.state === "stopped") return switchOn(view, step, machine, 0);
  if (instance.state === "creating" && machine.stop === undefined) return step;
  // A machine that died under its job is not started again: its attempt has ended (attempt.ts).
  if (instance.kind === "job") return step;
  // The start has not taken: it failed, or nobody knows of it.
  if (instance.state === "starting" && !isNewStop(instance, machine)) {
    return switchOn(view, step, machine, instance.restarts);
  }
  const cause = machine.stop?.reason ?? "crashed";
  const again =
    cause === "crashed" && request.restart === "on-failure" && instance.restarts < restartsMax;
  if (again) {
    const restarts = instance.restarts + 1;
    const message = `Restart ${restarts} of ${restartsMax}.`;
    return switchOn(
      view,
      {
        ...step,
        patch: { ...step.patch, readyAt: null, reason: crashReason(machine, true) },
        events: [...step.events, { kind: "restarting", message, at: now }],
      },
      machine,
      restarts,
    );
  }
  const reason = offReason(machine, cause);
  // Switched off from inside, or not to be started again: what it holds is given back.
  return {
    ...step,
    state: "stopped",
    patch: { ...step.patch, readyAt: null, endpoints: [] },
    placement: "disk",
    request: { set: "wanted-stopped", reason },
    endedOperations: [...step.endedOperations, ...failed(operations, needsRunning, reason)],
  };
}

function switchOn(view: View, step: Step, machine: Machine, restarts: number): Step {
  const { instance, request, operations, host } = view;
  const asked = operations.find((operation) => operation.kind === "start");
  const key = `${instance.id}:start:${request.turn}`;
  return {
    ...step,
    state: "starting",
    patch: { ...step.patch, restarts, stopBeforeStart: machine.stop?.at ?? null },
    call: {
      kind: "start",
      key: restarts === 0 ? key : `${key}:restart:${restarts}`,
      operationId: asked?.id ?? null,
      action:
        host.nativeId === machine.hostId ? { to: "start" } : { to: "start", hostId: host.nativeId },
    },
  };
}

const guestOff: Reason = {
  code: "guest_shutdown",
  message: "The guest switched itself off; start the lease to run it again.",
};

/** Its platform says that it was told to stop, and nobody told it so here. */
const offOutside: Reason = {
  code: "stopped_outside",
  message:
    "The machine was switched off on its platform, and not by Millrace; start the lease to run it again.",
};

function offReason(machine: Machine, cause: NonNullable<Machine["stop"]>["reason"]): Reason {
  switch (cause) {
    case "crashed":
      return crashReason(machine, false);
    case "guest":
      return guestOff;
    case "requested":
      return offOutside;
  }
}

function crashReason(machine: Machine, restarting: boolean): Reason {
  return {
    code: "crashed",
    message: `The machine stopped by itself (${machine.stop?.detail ?? "no reason is known"})${restarting ? " and is being restarted." : "; start the lease to run it again."}`,
  };
}

/** When the machine has got the shape that was asked for, metering goes on with that one. */
function withSettledShape(view: View, step: Step, machine: Machine): Step {
  const { instance, request, operations, now } = view;
  const settled =
    !machine.pendingResize &&
    !operations.some((operation) => operation.kind === "resize") &&
    JSON.stringify(instance.shape) !== JSON.stringify(request.shape);
  if (!settled) return step;
  const seen = step.transitions.map((each) => each.at);
  const clock = notBefore(Math.max(instance.metering.lastAt, ...seen), now);
  const at = clock(machine.power.at);
  const evidence = { cpu: machine.cpu, memoryBytes: machine.memoryBytes };
  return {
    ...step,
    patch: { ...step.patch, shape: request.shape },
    transitions: [...step.transitions, { kind: "resized", at, shape: request.shape, evidence }],
  };
}

/** Reboots, resizes and snapshots: one at a time, oldest first. */
function otherWork(view: View, machine: Machine): Pick<Step, "call"> {
  const next = view.operations.find((operation) => otherKinds.has(operation.kind));
  if (next === undefined) return {};
  const running = machine.power.value !== "stopped";
  const key = next.id;
  const operationId = next.id;
  switch (next.kind) {
    case "reboot":
      return running
        ? { call: { kind: "reboot", key, operationId, action: { to: "reboot" } } }
        : {};
    case "resize": {
      const { shape, devices } = resizeArguments(next.arguments);
      const model = shape.gpu?.model ?? "";
      const gpus = devices?.map((deviceId) => ({ deviceId, model, slice: 1 }));
      const to = {
        cpu: shape.cpu,
        memoryBytes: shape.memoryMiB * mebibyte,
        diskBytes: shape.diskGiB * gibibyte,
        ...(gpus === undefined ? {} : { gpus }),
      };
      return { call: { kind: "resize", key, operationId, to } };
    }
    case "move":
      return running
        ? { call: { kind: "move", key, operationId, hostId: moveArguments(next.arguments).hostId } }
        : {};
    case "snapshot":
      return {
        call: { kind: "snapshot", key, operationId, snapshot: snapshotArguments(next.arguments) },
      };
    case "revert":
    case "snapshot-delete":
      return {
        call: {
          kind: next.kind,
          key,
          operationId,
          snapshotId: snapshotArguments(next.arguments).id,
        },
      };
    case "create":
    case "start":
    case "stop":
    case "release":
      return {};
  }
}

const otherKinds: ReadonlySet<OperationView["kind"]> = new Set([
  "reboot",
  "resize",
  "move",
  "snapshot",
  "revert",
  "snapshot-delete",
]);

/** What is pointless on a machine that is to stay off. */
const needsRunning = ["create", "start", "reboot", "move"] as const;

const stoppedBefore: Reason = {
  code: "stopped",
  message: "The machine was stopped before that.",
};

function failed(
  operations: readonly OperationView[],
  kinds: readonly OperationView["kind"][],
  reason: Reason,
): OperationEnd[] {
  return operations
    .filter((operation) => kinds.includes(operation.kind))
    .map((operation) => ({ operation, outcome: { state: "failed", reason } }));
}

function succeeded(
  operations: readonly OperationView[],
  kinds: readonly OperationView["kind"][],
): OperationEnd[] {
  return operations
    .filter((operation) => kinds.includes(operation.kind))
    .map((operation) => ({ operation, outcome: { state: "succeeded" } }));
}

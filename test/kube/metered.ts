/**
 * What would be billed of machines: what `flow/provision` concludes from what a driver shows, look by look.
 * One for all processes of a control plane, as what was concluded is in their database.
 */
import { observeMachine } from "#flow/provision/observe.ts";
import type { InstanceView } from "#flow/provision/view.ts";
import type { Listing, Machine, MachineSpec } from "#providers/provider.ts";
import { leaseView } from "#test/lease-view.ts";

import type { Place } from "./api/objects.ts";

export interface Interval {
  readonly from: number;
  readonly until: number;
}

export interface Metered {
  readonly spec: MachineSpec;
  readonly place: Place;
  readonly billed: Interval[];
  openSince: number | null;
  lastAt: number;
  lastSeenAt: number;
  stopBeforeStart: number | null;
  isCreated: boolean;
  isGone: boolean;
}

export function newlyMetered(of: Pick<Metered, "spec" | "place">, at: number): Metered {
  return {
    ...of,
    billed: [],
    openSince: null,
    lastAt: 0,
    lastSeenAt: at,
    stopBeforeStart: null,
    isCreated: false,
    isGone: false,
  };
}

/** One pass over all of them, as `flow/provision/site.ts` makes it. */
export function meter(machines: readonly Metered[], listing: Listing<Machine>, at: number): void {
  const { items, complete, seenUntil } = listing;
  const shown = new Map(items.map((each) => [each.id, each]));
  for (const machine of machines.filter(({ isGone }) => !isGone)) {
    const seen = shown.get(machine.spec.id);
    if (seen !== undefined) {
      machine.lastSeenAt = Math.min(at, seenUntil ?? (complete ? at : seen.power.at));
      meterOne(machine, seen, at);
    } else if (complete) {
      machine.isGone = true;
      if (machine.openSince !== null) close(machine, Math.max(machine.lastAt, machine.lastSeenAt));
    }
  }
}

function meterOne(machine: Metered, seen: Machine, at: number): void {
  const state: InstanceView["state"] = machine.openSince === null ? "starting" : "running";
  const { openSince, lastAt, isCreated, stopBeforeStart } = machine;
  const view = leaseView({
    machine: seen,
    at,
    instance: { state, readyAt: openSince, createdAt: 0, stopBeforeStart },
    metering: { ready: openSince !== null, lastAt, created: isCreated },
  });
  for (const transition of observeMachine(view, seen).transitions) {
    machine.lastAt = transition.at;
    machine.isCreated ||= transition.kind === "created";
    if (transition.kind === "ready") machine.openSince = transition.at;
    if (transition.kind === "stopped") close(machine, transition.at);
  }
}

function close(machine: Metered, until: number): void {
  if (machine.openSince === null) throw new Error("it was not open");
  machine.billed.push({ from: machine.openSince, until });
  machine.openSince = null;
  machine.stopBeforeStart = until;
}

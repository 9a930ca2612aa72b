/** What a test cluster really has of a machine, past any driver, and whether a driver shows just that. */
import assert from "node:assert/strict";

import { runOf } from "#providers/kubevirt/driver/run-record.ts";
import { runsSeenName, untilOf } from "#providers/kubevirt/driver/runs-seen.ts";
import { claimName } from "#providers/kubevirt/driver/upkeep/claim.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Machine } from "#providers/provider.ts";

import { isPaused } from "./api/actions.ts";
import type { Document } from "./api/document.ts";
import { listAt, textAt } from "./api/json.ts";
import type { Place } from "./api/objects.ts";
import type { TestCluster } from "./driver-cluster.ts";

export class Standing {
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  machine(place: Place): Document | undefined {
    return this.#cluster.server.objects.store.get(kinds.machine, place);
  }

  runUid(place: Place): string | undefined {
    return this.#instance(place)?.metadata.uid;
  }

  isPaused(place: Place): boolean {
    const instance = this.#instance(place);
    return instance !== undefined && isPaused(instance);
  }

  /** KubeVirt's, but that a guest whose agent has not answered is still `Starting`; empty without a run. */
  phase(place: Place): string {
    const instance = this.#instance(place);
    const phase = textAt(instance, "status", "phase");
    const agent = listAt(instance, "status", "conditions").some(
      (each) => textAt(each, "type") === "AgentConnected",
    );
    return phase === "Running" && !agent ? "Starting" : phase;
  }

  /** Throws unless a driver shows it as it is, and what happened to its runs is written on it. */
  demandShown(place: Place, seen: Machine | undefined): void {
    const stored = this.machine(place);
    assert.equal(seen === undefined, stored === undefined);
    if (seen === undefined) return;
    const run = runOf(stored?.metadata.annotations);
    const isOn = this.phase(place) === "Running";
    const on = this.isPaused(place) ? "paused" : "running";
    assert.equal(seen.power.value, isOn ? on : "stopped");
    assert.equal(seen.guest.ready, isOn);
    if (isOn) assert.equal(run?.uid, this.runUid(place));
    if (isOn) assert.ok(run?.readyAt !== undefined, "that it is ready is not written");
    else if (run !== undefined) assert.ok(run.end !== undefined, "its end is not written");
  }

  /** Up to when it is written down that all runs were seen. */
  runsSeenUntil(): number {
    const { server, settings } = this.#cluster;
    const at = { namespace: claimName(settings.controlPlane), name: runsSeenName };
    return untilOf(server.objects.store.get(kinds.configMap, at)) ?? 0;
  }

  #instance(place: Place): Document | undefined {
    return this.#cluster.server.objects.store.get(kinds.machineInstance, place);
  }
}

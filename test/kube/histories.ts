/**
 * Random histories of machines on a test cluster, and what would be billed of them: people and guests do
 * things, watches break, versions are compacted, the API server goes away, the driver's process is
 * restarted. What is billed is what `flow/provision` concludes from what the driver shows.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";

import { vi } from "vitest";

import { observeMachine } from "#flow/provision/observe.ts";
import type { InstanceView } from "#flow/provision/view.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { runOf } from "#providers/kubevirt/driver/run-record.ts";
import { runsSeenName, untilOf } from "#providers/kubevirt/driver/runs-seen.ts";
import { claimName } from "#providers/kubevirt/driver/upkeep/claim.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Machine, MachineSpec } from "#providers/provider.ts";
import { leaseView } from "#test/lease-view.ts";
import type { Random } from "#test/sim/random.ts";

import { actOnMachine } from "./api/actions.ts";
import { listAt, textAt } from "./api/json.ts";
import { remove } from "./api/removal.ts";
import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { byController } from "./node-side/writing.ts";
import { sampleSpec } from "./sample-spec.ts";
import { TrueRuns } from "./true-runs.ts";

const patience = { timeout: 60_000, interval: 3 };
const machinesMax = 3;
const installation = "histories";

export interface Interval {
  readonly from: number;
  readonly until: number;
}

/** A time in which nobody could see the cluster. */
interface Blind extends Interval {
  /** Up to when runs are certainly known to have been seen before it. */
  readonly seenUntil: number;
  /** Runs, by uid, of which nothing was left at its end that tells when they ended. */
  readonly isLost: (uid: string, machineId: string) => boolean;
}

export interface Run extends Interval {
  readonly uid: string;
}

export interface Outcome {
  readonly said: readonly string[];
  readonly billed: ReadonlyMap<string, readonly Interval[]>;
  readonly truth: ReadonlyMap<string, readonly Run[]>;
  readonly blind: readonly Blind[];
}

interface Metered {
  readonly spec: MachineSpec;
  readonly place: { readonly namespace: string; readonly name: string };
  readonly billed: Interval[];
  openSince: number | null;
  lastAt: number;
  lastSeenAt: number;
  stopBeforeStart: number | null;
  isCreated: boolean;
  isGone: boolean;
}

type Sight = "seeing" | "away" | "closed";

export class History {
  readonly #random: Random;
  readonly #said: string[] = [];
  readonly #machines: Metered[] = [];
  readonly #blind: Blind[] = [];
  readonly #cluster: TestCluster;
  readonly #runs: TrueRuns;
  readonly #clock: { at: number };
  #provider: KubevirtProvider;
  #sight: Sight = "seeing";
  #blindSince: { readonly from: number; readonly seenUntil: number } | undefined;

  static async start(random: Random): Promise<History> {
    const clock = { at: Math.ceil(Date.now() / 1000) * 1000 };
    const cluster = await startTestCluster({
      now: () => clock.at,
      bootMs: 0,
      server: { bookmarkMs: 10 },
    });
    return new History(random, cluster, clock);
  }

  private constructor(random: Random, cluster: TestCluster, clock: { at: number }) {
    this.#random = random;
    this.#cluster = cluster;
    this.#clock = clock;
    this.#runs = new TrueRuns(cluster.server);
    this.#provider = this.#open();
  }

  async play(steps: number): Promise<Outcome> {
    for (let step = 0; step < steps; step += 1) {
      /* oxlint-disable no-await-in-loop -- one thing after the other */
      await this.#act();
      await this.#forward(this.#below(400) + 1);
    }
    await this.#return();
    for (const machine of this.#machines) {
      if (this.#stored(machine) !== undefined) await this.#power(machine, "stop");
    }
    /* oxlint-enable no-await-in-loop */
    await this.#settled();
    await this.#look();
    const truth = Map.groupBy(this.#runs.ended, ({ machineId }) => machineId);
    return {
      said: this.#said,
      billed: new Map(this.#machines.map(({ spec, billed }) => [spec.id, billed])),
      truth: new Map(
        [...truth].map(([id, runs]) => [
          id,
          runs.map(({ uid, readyAt, endedAt }) => ({ uid, from: readyAt, until: endedAt })),
        ]),
      ),
      blind: this.#blind,
    };
  }

  async close(): Promise<void> {
    this.#cluster.server.faults.comeBack();
    await this.#provider.close();
    this.#runs.close();
    await this.#cluster.close();
  }

  async #act(): Promise<void> {
    const live = this.#machines.filter((each) => this.#stored(each) !== undefined);
    const machine = live[this.#below(live.length)];
    const phase = machine && this.#phase(machine);
    const choice = this.#below(12);
    const say = (what: string, of = machine): void => {
      const at = new Date(this.#clock.at).toISOString().slice(11, 19);
      const number = of === undefined ? "" : ` ${this.#machines.indexOf(of)}`;
      this.#said.push(`${at} ${this.#sight}: ${what}${number}`);
    };
    const { objects } = this.#cluster.server;
    if (machine === undefined || (choice === 0 && this.#machines.length < machinesMax)) {
      if (this.#machines.length >= machinesMax) return;
      await this.#return();
      await this.#create();
      say("create", this.#machines.at(-1));
    } else if (choice <= 2 && phase === "Running") {
      const how = choice === 1 ? "crashed" : "shut down";
      say(`guest ${how}`);
      this.#cluster.nodes.guestEnds(machine.place, how);
    } else if (choice === 3 && this.#sight === "seeing") {
      say("stop");
      await this.#power(machine, "stop");
    } else if (choice <= 5 && this.#sight === "seeing" && phase !== "Running") {
      say("start");
      await this.#power(machine, "start");
    } else if (choice === 6 && phase === "Running") {
      say("restart by hand");
      actOnMachine(objects, { place: machine.place, action: "restart", body: {} });
    } else if (choice === 7 && phase !== "") {
      say("run deleted by hand");
      remove(objects, kinds.machineInstance, machine.place, { propagation: "Background" });
    } else if (choice === 8) {
      const halted = textAt(this.#stored(machine), "spec", "runStrategy") === "Halted";
      const runStrategy = halted ? "RerunOnFailure" : "Halted";
      say(`${runStrategy} by hand`);
      objects.patch(kinds.machine, machine.place, { spec: { runStrategy } }, byController);
    } else if (choice === 9 && this.#below(4) === 0) {
      say("machine deleted by hand");
      remove(objects, kinds.machine, machine.place, { propagation: "Background" });
    } else if (this.#sight === "seeing") {
      await this.#blinded();
    } else {
      say("back");
      await this.#return();
    }
    await this.#quiet();
    if (this.#sight !== "seeing") return;
    await this.#settled();
    await this.#look();
  }

  async #blinded(): Promise<void> {
    const { server } = this.#cluster;
    const seenUntil = this.#clock.at;
    // All that there is was seen up to now, and that is written down.
    await vi.waitFor(() => assert.equal(this.#mark(), seenUntil), patience);
    const how = this.#below(3);
    if (how === 2) {
      this.#said.push("the driver ends");
      await this.#provider.close();
      this.#sight = "closed";
      this.#blindSince = { from: seenUntil, seenUntil };
      return;
    }
    this.#said.push(how === 0 ? "the server is away" : "the server is away, and forgets");
    server.faults.vanish();
    this.#sight = "away";
    this.#blindSince = { from: seenUntil, seenUntil };
    // What was on its way is at its end.
    await this.#quiet();
    if (how === 1) this.#forgets = true;
  }

  #forgets = false;

  async #return(): Promise<void> {
    if (this.#sight === "seeing") return;
    await this.#quiet();
    const left = new Set(
      this.#machines.flatMap((each) => (this.#stored(each) && this.#uid(each)) ?? []),
    );
    const there = new Set(
      this.#machines.flatMap((each) => (this.#stored(each) === undefined ? [] : each.spec.id)),
    );
    // What happened meanwhile is told from the beginning, if the server remembers it.
    const isTold = this.#sight === "away" && !this.#forgets;
    const isLost = (uid: string, machineId: string): boolean =>
      !there.has(machineId) || (!isTold && !left.has(uid));
    if (this.#forgets) this.#cluster.server.objects.store.compact();
    this.#forgets = false;
    if (this.#sight === "away") this.#cluster.server.faults.comeBack();
    else this.#provider = this.#open();
    this.#sight = "seeing";
    if (this.#blindSince !== undefined) {
      this.#blind.push({ ...this.#blindSince, until: this.#clock.at, isLost });
    }
    await this.#settled();
    await this.#look();
  }

  #open(): KubevirtProvider {
    return new KubevirtProvider({
      settings: { ...this.#cluster.settings, nodeDiskGib: 100_000 },
      cluster: this.#cluster.server.cluster(),
      now: () => this.#clock.at,
      installation,
      runsSeenEveryMs: 5,
    });
  }

  async #create(): Promise<void> {
    const spec = sampleSpec();
    const operationId = `${spec.id}:create`;
    const signal = AbortSignal.timeout(60_000);
    await this.#provider.create({ signal, operationId, owner: spec.owner }, spec);
    const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
    this.#machines.push({
      spec,
      place,
      billed: [],
      openSince: null,
      lastAt: 0,
      lastSeenAt: this.#clock.at,
      stopBeforeStart: null,
      isCreated: false,
      isGone: false,
    });
  }

  async #power({ spec }: Metered, to: "start" | "stop"): Promise<void> {
    const call = { signal: AbortSignal.timeout(60_000), operationId: randomUUID() };
    await this.#provider.power({ ...call, owner: spec.owner }, spec.id, { to });
  }

  /** What has begun in the cluster is done within the second in which it began. */
  async #quiet(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    for (let turns = 0; turns < 40; turns += 1) await turn();
  }

  async #forward(seconds: number): Promise<void> {
    await this.#quiet();
    this.#clock.at += seconds * 1000;
    // Who watches looks every few seconds.
    if (this.#sight === "seeing") await this.#look();
  }

  /** The driver shows, and has written down, what there is. */
  async #settled(): Promise<void> {
    await this.#quiet();
    await vi.waitFor(async () => {
      const listing = await this.#listing();
      assert.ok(listing.complete, "the listing is not complete");
      const shown = new Map(listing.items.map((each) => [each.id, each]));
      for (const machine of this.#machines) this.#isShown(machine, shown.get(machine.spec.id));
    }, patience);
  }

  #isShown(machine: Metered, seen: Machine | undefined): void {
    const stored = this.#stored(machine);
    assert.equal(seen === undefined, stored === undefined);
    if (seen === undefined) return;
    const run = runOf(stored?.metadata.annotations);
    const isOn = this.#phase(machine) === "Running";
    assert.equal(seen.power.value, isOn ? "running" : "stopped");
    assert.equal(seen.guest.ready, isOn);
    if (isOn) assert.equal(run?.uid, this.#uid(machine));
    if (isOn) assert.ok(run?.readyAt !== undefined, "that it is ready is not written");
    else if (run !== undefined) assert.ok(run.end !== undefined, "its end is not written");
  }

  #listing() {
    return this.#provider.machines({ signal: AbortSignal.timeout(60_000) });
  }

  async #look(): Promise<void> {
    const { items, complete } = await this.#listing();
    const shown = new Map(items.map((each) => [each.id, each]));
    for (const machine of this.#machines.filter(({ isGone }) => !isGone)) {
      const seen = shown.get(machine.spec.id);
      if (seen !== undefined) this.#meter(machine, seen, complete);
      else if (complete) this.#lost(machine);
    }
  }

  #meter(machine: Metered, seen: Machine, complete: boolean): void {
    machine.lastSeenAt = complete ? this.#clock.at : Math.min(this.#clock.at, seen.power.at);
    const state: InstanceView["state"] = machine.openSince === null ? "starting" : "running";
    const { openSince, lastAt, isCreated, stopBeforeStart } = machine;
    const view = leaseView({
      machine: seen,
      at: this.#clock.at,
      instance: { state, readyAt: openSince, createdAt: 0, stopBeforeStart },
      metering: { ready: openSince !== null, lastAt, created: isCreated },
    });
    for (const { kind, at } of observeMachine(view, seen).transitions) {
      machine.lastAt = at;
      machine.isCreated ||= kind === "created";
      if (kind === "ready") machine.openSince = at;
      if (kind === "stopped") this.#closeAt(machine, at);
    }
  }

  #closeAt(machine: Metered, until: number): void {
    if (machine.openSince === null) throw new Error("it was not open");
    machine.billed.push({ from: machine.openSince, until });
    machine.openSince = null;
    machine.stopBeforeStart = until;
  }

  #lost(machine: Metered): void {
    machine.isGone = true;
    if (machine.openSince !== null) {
      this.#closeAt(machine, Math.max(machine.lastAt, machine.lastSeenAt));
    }
  }

  #mark(): number {
    const { server, settings } = this.#cluster;
    const at = { namespace: claimName(settings.controlPlane), name: runsSeenName };
    return untilOf(server.objects.store.get(kinds.configMap, at)) ?? 0;
  }

  #stored({ place }: Metered) {
    return this.#cluster.server.objects.store.get(kinds.machine, place);
  }

  #instance({ place }: Metered) {
    return this.#cluster.server.objects.store.get(kinds.machineInstance, place);
  }

  #uid(machine: Metered): string | undefined {
    return this.#instance(machine)?.metadata.uid;
  }

  #phase(machine: Metered): string {
    const instance = this.#instance(machine);
    const phase = textAt(instance, "status", "phase");
    const agent = listAt(instance, "status", "conditions").some(
      (each) => textAt(each, "type") === "AgentConnected",
    );
    return phase === "Running" && !agent ? "Starting" : phase;
  }

  #below(count: number): number {
    return this.#random.below(count);
  }
}

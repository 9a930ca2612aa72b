/**
 * Random histories of machines on a test cluster: people and guests do things, watches break or fall silent,
 * versions are compacted, the API server goes away, processes of the control plane end and others take over.
 * Beside them: what would be billed (`metered.ts`), what really ran (`true-runs.ts`), and when nobody could
 * see it.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";

import { vi } from "vitest";

import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Random } from "#test/sim/random.ts";

import { type Deed, deeds, deletion } from "./deeds.ts";
import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { type Interval, type Metered, meter, newlyMetered } from "./metered.ts";
import { Processes } from "./processes.ts";
import { sampleSpec } from "./sample-spec.ts";
import { Standing } from "./standing.ts";
import { TrueRuns } from "./true-runs.ts";

const patience = { timeout: 60_000, interval: 3 };
const machinesMax = 5;
const processesMax = 2;

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

/** `silent`: watches are open, and nothing comes of them; who looks takes what he has for what is. */
type Sight = "seeing" | "silent" | "away" | "closed";

export class History {
  readonly #random: Random;
  readonly #said: string[] = [];
  readonly #machines: Metered[] = [];
  readonly #blind: Blind[] = [];
  readonly #cluster: TestCluster;
  readonly #standing: Standing;
  readonly #runs: TrueRuns;
  readonly #clock: { at: number };
  readonly #processes: Processes;
  #sight: Sight = "seeing";
  /** The server will have forgotten the versions that were seen last. */
  #forgets = false;
  #blindSince = 0;

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
    this.#standing = new Standing(cluster);
    this.#runs = new TrueRuns(cluster.server);
    this.#processes = new Processes(cluster, () => clock.at);
    this.#processes.start();
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
    await this.#processes.endAll();
    this.#runs.close();
    await this.#cluster.close();
  }

  async #act(): Promise<void> {
    const live = this.#machines.filter((each) => this.#stored(each) !== undefined);
    const machine = this.#random.maybePick(live);
    const canMake = this.#machines.length < machinesMax;
    if (canMake && (machine === undefined || this.#below(8) === 0)) {
      await this.#return();
      await this.#create();
    } else if (machine === undefined || this.#below(3) === 0) {
      await this.#turn();
    } else {
      const deed = this.#random.maybePick(this.#deedsOn(machine));
      this.#say(deed?.what ?? "nothing", machine);
      await deed?.act();
    }
    await this.#quiet();
    if (this.#sight !== "seeing") return;
    await this.#settled();
    await this.#look();
  }

  /** Whoever looks at the cluster is another, or sees it no more, or again. */
  async #turn(): Promise<void> {
    if (this.#sight !== "seeing") await this.#return();
    else if (this.#below(3) === 0) await this.#changeProcesses();
    else await this.#blinded();
  }

  /** What may happen to it now: by guests and by hand, and by what its customer asks for. */
  #deedsOn(machine: Metered): readonly Deed[] {
    const { place } = machine;
    const isOff = this.#standing.phase(place) !== "Running";
    const asked = (to: "start" | "stop"): Deed => ({
      what: to,
      act: () => this.#power(machine, to),
    });
    const canAsk = this.#sight === "seeing" || this.#sight === "silent";
    return [
      ...deeds(this.#cluster, this.#standing, place),
      ...(canAsk ? [asked("stop")] : []),
      // More often, or all would be off soon.
      ...(this.#sight === "seeing" && isOff ? [asked("start"), asked("start")] : []),
      ...(this.#below(4) === 0 ? [deletion(this.#cluster, place)] : []),
    ];
  }

  /** Somebody else is there all the time, or takes over at once: nothing is lost. */
  async #changeProcesses(): Promise<void> {
    if (this.#processes.count < processesMax) {
      this.#say("another process starts");
      this.#processes.start();
      return;
    }
    const which = this.#below(2) === 0 ? "leading" : "other";
    this.#say(`the ${which} process ends`);
    await this.#processes.end(which);
  }

  async #blinded(): Promise<void> {
    const { faults } = this.#cluster.server;
    // All that there is was seen up to now, and that is written down.
    await vi.waitFor(() => assert.equal(this.#standing.runsSeenUntil(), this.#clock.at), patience);
    this.#blindSince = this.#clock.at;
    const how = this.#below(5);
    this.#forgets = how === 1 || how === 3;
    const forgets = this.#forgets ? ", and the server forgets" : "";
    if (how === 4) {
      this.#say("all processes end");
      await this.#processes.endAll();
      this.#sight = "closed";
      return;
    }
    if (how <= 1) {
      this.#say(`the server is away${forgets}`);
      faults.vanish();
      this.#sight = "away";
    } else {
      this.#say(`watches are silent${forgets}`);
      faults.muteWatches("silent");
      this.#sight = "silent";
    }
    // What was on its way is at its end.
    await this.#quiet();
  }

  async #return(): Promise<void> {
    if (this.#sight === "seeing") return;
    this.#say("back");
    await this.#quiet();
    const left = new Set(
      this.#machines.flatMap((each) => (this.#stored(each) && this.#uid(each)) ?? []),
    );
    const there = new Set(
      this.#machines.flatMap((each) => (this.#stored(each) === undefined ? [] : each.spec.id)),
    );
    // What happened meanwhile is told from the beginning, if the server remembers it.
    const isTold = this.#sight !== "closed" && !this.#forgets;
    const isLost = (uid: string, machineId: string): boolean =>
      !there.has(machineId) || (!isTold && !left.has(uid));
    this.#see();
    const from = this.#blindSince;
    this.#blind.push({ from, seenUntil: from, until: this.#clock.at, isLost });
    await this.#settled();
    await this.#look();
  }

  #see(): void {
    const { faults, objects } = this.#cluster.server;
    if (this.#forgets) objects.store.compact();
    this.#forgets = false;
    if (this.#sight === "away") faults.comeBack();
    if (this.#sight === "silent") {
      faults.muteWatches("talking");
      // A connection that fell silent is never heard of again.
      faults.cutWatches();
    }
    if (this.#sight === "closed") this.#processes.start();
    this.#sight = "seeing";
  }

  async #create(): Promise<void> {
    const spec = sampleSpec();
    const operationId = `${spec.id}:create`;
    const signal = AbortSignal.timeout(60_000);
    await this.#processes.leading.create({ signal, operationId, owner: spec.owner }, spec);
    const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
    const machine = newlyMetered({ spec, place }, this.#clock.at);
    this.#machines.push(machine);
    this.#say("create", machine);
  }

  async #power({ spec }: Metered, to: "start" | "stop"): Promise<void> {
    const call = { signal: AbortSignal.timeout(60_000), operationId: randomUUID() };
    await this.#processes.leading.power({ ...call, owner: spec.owner }, spec.id, { to });
  }

  /** What has begun in the cluster is done within the second in which it began. */
  async #quiet(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    for (let turns = 0; turns < 40; turns += 1) await turn();
  }

  async #forward(seconds: number): Promise<void> {
    await this.#quiet();
    this.#clock.at += seconds * 1000;
    // Who watches hears of the server all the time, and looks every few seconds.
    if (this.#sight === "seeing") await this.#settled();
    if (this.#sight === "seeing" || this.#sight === "silent") await this.#look();
  }

  /** Each process shows, has heard, and has written down what there is. */
  async #settled(): Promise<void> {
    await this.#quiet();
    await vi.waitFor(async () => {
      for (const { items, complete, seenUntil } of await this.#processes.listings()) {
        assert.ok(complete, "the listing is not complete");
        assert.equal(seenUntil, this.#clock.at);
        const shown = new Map(items.map((each) => [each.id, each]));
        for (const { place, spec } of this.#machines) {
          this.#standing.demandShown(place, shown.get(spec.id));
        }
      }
    }, patience);
  }

  async #look(): Promise<void> {
    meter(this.#machines, await this.#processes.listing(), this.#clock.at);
  }

  #say(what: string, machine?: Metered): void {
    const at = new Date(this.#clock.at).toISOString().slice(11, 19);
    const number = machine === undefined ? "" : ` ${this.#machines.indexOf(machine)}`;
    this.#said.push(`${at} ${this.#sight}: ${what}${number}`);
  }

  #stored({ place }: Metered) {
    return this.#standing.machine(place);
  }

  #uid({ place }: Metered): string | undefined {
    return this.#standing.runUid(place);
  }

  #below(count: number): number {
    return this.#random.below(count);
  }
}

/**
 * A random history of leases through the stages, with one or two processes that work, of which one holds the
 * site's lock and meters: they end and begin, and the other takes over; guests and people in the cluster do
 * things meanwhile, also while no process is there. After each step the books are as the cluster is.
 */
import assert from "node:assert/strict";

import { vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { deeds } from "#test/kube/deeds.ts";
import { Standing } from "#test/kube/standing.ts";
import { TrueRuns } from "#test/kube/true-runs.ts";
import type { Random } from "#test/sim/random.ts";

import { minuteMs, patience, type Process, type Staged } from "./staged.ts";

const leasesMax = 4;
/** What is over after these begins anew by itself, or stays off for good. */
const chosen = new Set([
  "guest crashed",
  "guest shut down",
  "restart by hand",
  "run deleted by hand",
  "pause by hand",
  "unpause by hand",
]);

/** Of one run, in the books; epoch seconds, as the cluster tells them. Without an end it goes on. */
const used = z.object({ machineId: z.string(), from: z.number(), until: z.number().nullable() });
type Used = z.infer<typeof used>;

interface Blind {
  readonly from: number;
  readonly until: number;
  /** Up to when it was written down before it that all runs were seen. */
  readonly seenUntil: number;
}

export class ChangeOver {
  readonly #said: string[] = [];
  readonly #staged: Staged;
  readonly #random: Random;
  readonly #standing: Standing;
  readonly #runs: TrueRuns;
  readonly #processes: Process[];
  readonly #leases: string[] = [];
  /** When no process was there. */
  readonly #blind: Blind[] = [];

  constructor(staged: Staged, random: Random) {
    this.#staged = staged;
    this.#random = random;
    this.#standing = new Standing(staged.cluster);
    this.#runs = new TrueRuns(staged.cluster.server);
    this.#processes = [staged.first];
  }

  close(): void {
    this.#runs.close();
  }

  async begin(): Promise<void> {
    await this.#order();
    await this.#order();
  }

  async step(): Promise<void> {
    const choice = this.#random.below(6);
    if (choice === 0 && this.#leases.length < leasesMax) await this.#order();
    else if (choice <= 2) await this.#changeProcesses();
    else await this.#deed();
    await this.#isSettled();
    this.#staged.forward((1 + this.#random.below(15)) * minuteMs);
  }

  async #order(): Promise<void> {
    this.#say("a lease is ordered");
    const id = await this.#staged.order(`vm-${this.#leases.length}`);
    await this.#staged.until(id, "running");
    this.#leases.push(id);
    await this.#isSettled();
    // No two runs begin in one second.
    this.#staged.forward(minuteMs);
  }

  async #changeProcesses(): Promise<void> {
    const processes = this.#processes;
    if (processes.length === 1 && this.#random.below(2) === 0) {
      this.#say("another process begins");
      processes.push(this.#staged.another());
      return;
    }
    const settledAt = this.#staged.now();
    await vi.waitFor(() => assert.ok(this.#standing.runsSeenUntil() >= settledAt), patience);
    const ended = processes.splice(this.#random.below(processes.length), 1);
    this.#say(`a process ends, ${processes.length} left`);
    await Promise.all(ended.map((process) => process.end()));
    if (processes.length > 0) return;
    const from = this.#staged.now();
    const seenUntil = this.#standing.runsSeenUntil();
    this.#staged.forward(minuteMs);
    await this.#deed();
    await vi.waitFor(async () => assert.ok(await this.#isQuiet()), patience);
    this.#staged.forward(10 * minuteMs);
    this.#blind.push({ from, until: this.#staged.now(), seenUntil });
    this.#say("one begins again");
    processes.push(this.#staged.another());
  }

  async #deed(): Promise<void> {
    const { cluster } = this.#staged;
    const lease = this.#random.maybePick(this.#leases) ?? "";
    const place = await this.#staged.placeOf(lease);
    const deed = this.#random.maybePick(
      deeds(cluster, this.#standing, place).filter(({ what }) => chosen.has(what)),
    );
    this.#say(`${deed?.what ?? "nothing"} ${this.#leases.indexOf(lease)}`);
    await deed?.act();
  }

  /** In the cluster nothing is on its way. */
  async #isQuiet(): Promise<boolean> {
    const places = await Promise.all(this.#leases.map((id) => this.#staged.placeOf(id)));
    return places.every((place) => ["", "Running"].includes(this.#standing.phase(place)));
  }

  /** Leases are as their machines are, and the books are as the cluster is. */
  async #isSettled(): Promise<void> {
    await vi.waitFor(async () => {
      for (const id of this.#leases) {
        const phase = this.#standing.phase(await this.#staged.placeOf(id));
        const state = await this.#staged.state(id);
        assert.ok(["running", "stopped"].includes(state ?? ""), `a lease is ${state}`);
        assert.equal(phase, state === "running" ? "Running" : "");
      }
      const faults = await this.#faults();
      assert.deepEqual(faults.length === 0 ? [] : [...this.#said, ...faults], []);
    }, patience);
  }

  /** What is wrong with the books, in words. */
  async #faults(): Promise<readonly string[]> {
    const metered = await this.#metered();
    const runs = this.#runs.all.map(({ machineId, readyAt, endedAt }) => ({
      machineId,
      from: readyAt / 1000,
      until: endedAt === undefined ? null : endedAt / 1000,
    }));
    const made = metered.filter((each) => !runs.some(isOf(each)));
    const wrong = runs.flatMap((run) => {
      const [of, more] = metered.filter(isOf(run));
      const shown = `${JSON.stringify(run)} is ${JSON.stringify(of)}`;
      if (more !== undefined) return [`${shown} and ${JSON.stringify(more)}`];
      const unseen = this.#blind.find(({ from, until }) => {
        const endedAt = (run.until ?? Infinity) * 1000;
        return from <= endedAt + 1_000 && endedAt <= until;
      });
      if (unseen === undefined) return of?.until === run.until ? [] : [shown];
      // Nobody saw its end, and of one that began in that time nothing at all.
      if (of === undefined) return run.from * 1000 >= unseen.from - 1_000 ? [] : [shown];
      const until = run.until ?? Infinity;
      const least = Math.floor(unseen.seenUntil / 1000);
      return of.until !== null && least <= of.until && of.until <= until ? [] : [shown];
    });
    return [...made.map((each) => `${JSON.stringify(each)} did not run`), ...wrong];
  }

  #metered(): Promise<readonly Used[]> {
    return this.#staged.db.rows(
      sql`select instance_id as "machineId",
          floor(extract(epoch from started_at))::float8 as "from",
          floor(extract(epoch from ended_at))::float8 as until
        from usage_interval where sku = 'cpu.core' order by started_at, id`,
      used,
    );
  }

  /** By day at most, as events are: all of an interval's together. */
  events(): Promise<readonly Used[]> {
    return this.#staged.db.rows(
      sql`select instance_id as "machineId",
          extract(epoch from min(used_from))::float8 as "from",
          extract(epoch from max(used_until))::float8 as until
        from usage_event where sku = 'cpu.core'
        group by instance_id, interval_id order by min(used_from), interval_id`,
      used,
    );
  }

  /** Of the intervals that are over, and have a second. */
  async ended(): Promise<readonly Used[]> {
    const metered = await this.#metered();
    return metered.filter(({ from, until }) => until !== null && until > from);
  }

  #say(what: string): void {
    this.#said.push(`${new Date(this.#staged.now()).toISOString().slice(11, 19)} ${what}`);
  }
}

function isOf(run: Used): (each: Used) => boolean {
  return (each) => each.machineId === run.machineId && each.from === run.from;
}

/**
 * The invariants of DESIGN.md, section 4, over random histories: customers, faults of the platform,
 * killed workers, lost locks and clocks that are set, at random moments, with two workers at once.
 * `SIM_RUNS=500` asks for more histories, `SIM_SEED=…` for one of them again.
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";

import { openDb } from "#db/pool.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase } from "#test/database.ts";

import {
  customerDoes,
  everyFaultIsOver,
  platformDoes,
  releaseAll,
  type History,
} from "./history.ts";
import {
  brokenNow,
  differsFromPlatform,
  leftovers,
  recordFacts,
  unsettled,
  visibleToOthers,
  wrongUsage,
  type Facts,
} from "./invariants.ts";
import { killConnections } from "./mortal.ts";
import { randomFrom, seeds } from "./random.ts";
import { makeWorld, settled, startWorker, type Worker } from "./world.ts";

const stepsOfHistory = 90;
const hourMs = 3_600_000;

test.each(seeds(4))(
  "the invariants hold over a random history, seed %i",
  { timeout: 120_000 },
  async (seed) => {
    const url = await emptyDatabase({ template: "millrace_template" });
    const observer = createObserver({ level: "silent" });
    const db = openDb({ url, connectionsMax: 8, observer, applicationName: "sim" });
    const world = await makeWorld({ db, url });
    const history: History = { world, random: randomFrom(seed), leases: [], log: [] };
    const { facts, look } = recordFacts(world.platform);
    const watcher = setInterval(look, 1);
    const processes = twoProcesses(history);
    try {
      await play(history, processes);
      expect(await afterTheTrouble(history, processes.alive(), facts)).toEqual([]);
    } catch (error) {
      const log = history.log.slice(-40).join("\n");
      throw new Error(`SIM_SEED=${seed} fails after:\n${log}`, { cause: error });
    } finally {
      clearInterval(watcher);
      await processes.end();
      await db.close();
    }
  },
);

interface Processes {
  alive(): readonly Worker[];
  /** One of them dies, another begins at once. */
  replaceOne(): void;
  end(): Promise<void>;
}

function twoProcesses({ world, random }: History): Processes {
  let alive = [startWorker(world), startWorker(world)];
  const dying: Promise<void>[] = [];
  return {
    alive: () => alive,
    replaceOne: () => {
      const [killed, other] = random.chance(0.5) ? alive : alive.toReversed();
      if (killed !== undefined) dying.push(killed.kill());
      alive = [...(other === undefined ? [] : [other]), startWorker(world)];
    },
    end: async () => {
      await Promise.all([...dying, ...alive.map((worker) => worker.kill())]);
    },
  };
}

async function play(history: History, processes: Processes): Promise<void> {
  const { world, random } = history;
  const { db, clock } = world;
  for (let step = 0; step < stepsOfHistory; step += 1) {
    const dice = random.next();
    if (dice < 0.62) await customerDoes(history);
    else if (dice < 0.88) await platformDoes(history);
    else if (dice < 0.93) processes.replaceOne();
    else if (dice < 0.95) await killConnections(db, "millrace site");
    else if (dice < 0.97) await killConnections(db, "millrace nudges");
    else if (dice < 0.98) clock.move(-hourMs);
    else clock.move(random.below(20_000));
    if (random.chance(0.6)) await wait(random.below(25));
    const broken = random.chance(0.1) ? await brokenNow(db) : [];
    if (broken.length > 0) throw new Error(broken.join("\n"));
  }
}

/** Everything that is wrong once all has had time to come to rest, and to an end. */
async function afterTheTrouble(
  history: History,
  alive: readonly Worker[],
  facts: Facts,
): Promise<string[]> {
  const { world } = history;
  const { db, platform } = world;
  everyFaultIsOver(world);
  await settled(world, alive, async () => [
    ...(await unsettled(db)),
    ...(await differsFromPlatform(db, platform)),
  ]);
  const atRest = await brokenNow(db);
  const seen = await Promise.all(
    world.tenants.map(({ tenantId }) => visibleToOthers(db, tenantId)),
  );
  await releaseAll(history);
  await settled(world, alive, () => leftovers(db, platform));
  await settled(world, alive, () => unsettled(db));
  return [...atRest, ...seen.flat(), ...(await wrongUsage(db, facts)), ...(await brokenNow(db))];
}

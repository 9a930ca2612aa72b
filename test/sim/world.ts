/**
 * A whole cloud for random histories: a real database, a simulated platform, and worker processes
 * that can be killed. The machine's clock is the test's to set; the books are the real ledger.
 */
import { setTimeout as wait } from "node:timers/promises";

import { v7 as uuid } from "uuid";
import { z } from "zod";

import { loadPriceBook, seedPriceProfile, type PriceBook } from "#catalog/price-profiles.ts";
import { listenForNudges, type Nudges } from "#db/listen.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { cutLoop } from "#flow/meter/cut-loop.ts";
import { meterLoop } from "#flow/meter/loop.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { siteCollector } from "#flow/provision/collect.ts";
import { gangLoop } from "#flow/provision/gang-loop.ts";
import { preemptLoop } from "#flow/provision/preempt-loop.ts";
import { siteWorker } from "#flow/provision/site.ts";
import { attemptLimits, prepareWorkloads } from "#flow/provision/workload.ts";
import { dunningLoop } from "#dunning/loop.ts";
import { queueLoop } from "#flow/queue/loop.ts";
import { rateLoop } from "#flow/rate/loop.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { startLoop } from "#loops/loop.ts";
import { steadyClock } from "#loops/steady-clock.ts";
import { createObserver } from "#observe/observer.ts";
import { systemClock } from "#providers/simulated/clock.ts";
import { SimulatedPlatform } from "#providers/simulated/platform.ts";
import { SimulatedProvider } from "#providers/simulated/provider.ts";

import { addTenant, type TestTenant } from "./cloud.ts";
import type { Process } from "./crash.ts";
import { killConnections, mortalDb, mortalProvider } from "./mortal.ts";
import { simulatedHosts } from "./simulated-hosts.ts";

/** The clock of the machine that everything runs on; a test moves it by hand. */
export class WallClock {
  #offsetMs = 0;
  now = (): number => Date.now() + this.#offsetMs;
  wait = (ms: number, signal: AbortSignal): Promise<void> => systemClock.wait(ms, signal);
  move(ms: number): void {
    this.#offsetMs += ms;
  }
}

export interface World {
  readonly db: Db;
  readonly url: string;
  readonly clock: WallClock;
  /** Of the program: never goes back, as in production. */
  readonly now: () => number;
  readonly platform: SimulatedPlatform;
  readonly tenants: readonly TestTenant[];
  readonly prices: PriceBook;
}

export async function makeWorld(options: {
  readonly db: Db;
  readonly url: string;
  readonly directory?: string;
  /** What each tenant has paid in, in yuan. */
  readonly paid?: string;
  /** By which the platform lives; the machine's clock when left out, as of a remote one. */
  readonly platformNow?: () => number;
}): Promise<World> {
  const { db, url, directory, paid = "1000000.00" } = options;
  const clock = new WallClock();
  const { platformNow = clock.now } = options;
  const platform = new SimulatedPlatform({
    site: `sim-${uuid()}`,
    hosts: simulatedHosts,
    clock: { now: platformNow, wait: clock.wait },
    latencies: { createMs: 15, bootMs: 10, shutdownMs: 10 },
    ...(directory === undefined ? {} : { directory }),
  });
  await db.transaction(seedPriceProfile);
  const tenants = await Promise.all(["one", "two", "three"].map((name) => paying(db, name, paid)));
  return {
    db,
    url,
    clock,
    now: steadyClock(clock.now),
    platform,
    tenants,
    prices: await loadPriceBook(db),
  };
}

async function paying(db: Db, name: string, paid: string): Promise<TestTenant> {
  const tenant = await addTenant(db, `${name}-${uuid().slice(-8)}`);
  await db.tenant(tenant.tenantId, (tx) =>
    recordTopUp(tx, tenant.tenantId, {
      reference: "first",
      amount: parseFen(paid),
      at: Date.now(),
    }),
  );
  return tenant;
}

export interface Worker {
  /** All its loops look at once. */
  nudge(): void;
  /** As `kill -9`: nothing is finished, nothing is told. */
  kill(): Promise<void>;
  /** As SIGTERM. */
  stop(): Promise<void>;
}

let workers = 0;

const noNudges: Nudges = { on: () => () => undefined, close: () => Promise.resolve() };

export interface WorkerOptions {
  /** Hears no nudge at all. */
  readonly deaf?: true;
  /** Of the tenants' files: then jobs are handed what they need, and what they leave is brought home. */
  readonly storage?: string;
  /** The machine's clock, never going back, when left out. */
  readonly now?: () => number;
  /** Whose life it lives; it has one of its own when left out. */
  readonly process?: Process;
}

export function startWorker(world: World, options: WorkerOptions = {}): Worker {
  workers += 1;
  const { process: lives } = options;
  let killed = false;
  const life = {
    get over() {
      return killed || lives?.isDead() === true;
    },
  };
  const name = `sim-worker-${process.pid}-${workers}`;
  const own = createObserver({ level: "silent" });
  const db = lives?.db ?? mortalDb({ url: world.url, name, observer: own, life });
  const provider = mortalProvider(new SimulatedProvider(world.platform), life);
  const nudges = options.deaf === true ? noNudges : listenForNudges(world.url, own);
  const { now = steadyClock(world.clock.now) } = options;
  const { storage: root } = options;
  const collector =
    root === undefined
      ? undefined
      : siteCollector({ db, provider, root, limits: attemptLimits, observer: own, now });
  const site = siteWorker({
    db,
    provider,
    observer: own,
    now,
    prepareWorkload:
      root === undefined
        ? () => Promise.resolve(undefined)
        : prepareWorkloads({ db, root, limits: attemptLimits }),
  });
  const definitions = [
    queueLoop({ db }),
    placeLoop({ db, now }),
    preemptLoop({ db, now }),
    gangLoop({ db, now }),
    site.loop,
    ...(collector === undefined ? [] : [collector.loop]),
    meterLoop({ db, now }),
    cutLoop({ db, now }),
    rateLoop({ db, observer: own, now, timeZoneOf: () => Promise.resolve(billingZone) }),
    dunningLoop({ db, now }),
  ];
  const loops = definitions.map((definition) =>
    startLoop(definition, { nudges, observer: own, now }),
  );
  const end = async (): Promise<void> => {
    const ended = loops.map((loop) => loop.stop());
    await Promise.all([site.close(), collector?.close()]);
    await Promise.all(ended);
    await nudges.close();
    await db.close();
  };
  return {
    nudge: () => {
      for (const loop of loops) loop.nudge();
    },
    kill: async () => {
      killed = true;
      await killConnections(world.db, name);
      await end();
    },
    stop: end,
  };
}

/** Looks again and again, while time goes by faster, until `findings` has none left. */
export async function settled(
  world: World,
  alive: readonly Worker[],
  findings: () => Promise<readonly string[]>,
  timeoutMs = 45_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = await findings();
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      const said = (await lastEvents(world.db)).join("\n");
      throw new Error(`does not settle:\n${left.join("\n")}\nlast events:\n${said}`);
    }
    // Rests between repeats, grace periods and the loops' own periods cost no real time.
    world.clock.move(500);
    for (const worker of alive) worker.nudge();
    await wait(15);
  }
}

async function lastEvents(db: Db): Promise<string[]> {
  const rows = await db.rows(
    sql`select e.request_id, e.kind, e.message from request_event e
      join request r on r.tenant_id = e.tenant_id and r.id = e.request_id
      where r.ended_at is null order by e.at desc limit 12`,
    z.object({ request_id: z.string(), kind: z.string(), message: z.string() }),
  );
  return rows.map((row) => `${row.request_id} ${row.kind}: ${row.message}`);
}

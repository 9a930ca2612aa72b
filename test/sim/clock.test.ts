/**
 * What is billed when the machine's clock is set back and the program is started again: the time
 * that really went by, no second more, and none less that anybody can know of.
 */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { askRelease, askStop } from "#flow/admit/lease.ts";
import { markClock, openClock, type Host } from "#loops/clock.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase } from "#test/database.ts";

import { lease, rent, stateOf } from "./cloud.ts";
import { randomFrom, seeds } from "./random.ts";
import { makeWorld, startWorker } from "./world.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Of real time that the test itself takes, which the fast clock does not show. */
const slackMs = 20_000;

test.each(seeds(3))(
  "a lease is billed for the time that went by, whatever the clock said, seed %i",
  { timeout: 60_000 },
  async (seed) => {
    const random = randomFrom(seed);
    const url = await emptyDatabase({ template: "millrace_template" });
    const observer = createObserver({ level: "silent" });
    const db = openDb({ url, connectionsMax: 4, observer, applicationName: "sim" });
    let now = Date.now;
    // The platform is on the same machine and is handed the program's clock, as in app/sites.ts.
    const world = await makeWorld({ db, url, platformNow: () => now() });
    let passedMs = 0;
    const host: Host = {
      bootId: `boot-${seed}`,
      uptimeMs: () => performance.now() + passedMs,
      wall: world.clock.now,
      monotonic: () => performance.now() + passedMs,
    };
    const pass = (ms: number): void => {
      passedMs += ms;
      world.clock.move(ms);
    };
    // Which the loop `clock` does at each start, and each ten seconds.
    const open = async (): Promise<() => number> => {
      const opened = await openClock(db, host);
      await markClock(db, host, opened);
      return opened;
    };
    now = await open();
    let worker = startWorker(world, { now });
    const [tenant] = world.tenants;
    if (tenant === undefined) throw new Error("a world has tenants");
    const id = await rent(db, lease(tenant, { at: now() }));
    const becomes = (state: string): Promise<void> =>
      vi.waitFor(
        async () => {
          worker.nudge();
          expect(await stateOf(db, id)).toMatchObject({ state });
        },
        { timeout: 30_000, interval: 20 },
      );
    await becomes("running");
    const startedAtMs = performance.now() + passedMs;

    for (let step = 0; step < 6; step += 1) {
      pass(random.below(20 * minuteMs));
      if (random.chance(0.5)) await markClock(db, host, now);
      if (random.chance(0.6)) world.clock.move(-random.below(2 * hourMs));
      pass(random.below(20 * minuteMs));
      if (random.chance(0.6)) {
        await worker.kill();
        pass(random.below(5 * minuteMs));
        now = await open();
        worker = startWorker(world, { now });
      }
    }
    world.clock.move(-hourMs);
    await worker.kill();
    now = await open();
    worker = startWorker(world, { now });

    const key = { tenantId: tenant.tenantId, leaseId: id, at: now() };
    await db.tenant(tenant.tenantId, (tx) => askStop(tx, { ...key, graceSeconds: 0 }));
    await becomes("stopped");
    await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
    await becomes("gone");
    const realMs = performance.now() + passedMs - startedAtMs;
    await vi.waitFor(async () => expect(await openIntervals(db, id)).toBe(0), { timeout: 30_000 });
    for (const { sku, ms } of await held(db, id)) {
      expect(ms, `${sku}, seed ${seed}`).toBeLessThanOrEqual(realMs + slackMs);
      expect(ms, `${sku}, seed ${seed}`).toBeGreaterThanOrEqual(realMs - slackMs);
    }
    await worker.stop();
    await db.close();
  },
);

async function openIntervals(db: Db, requestId: string): Promise<number> {
  const { count } = await db.one(
    sql`select count(*)::int as count from usage_interval
      where request_id = ${requestId} and ended_at is null`,
    z.object({ count: z.int() }),
  );
  return count;
}

function held(db: Db, requestId: string): Promise<{ sku: string; ms: number }[]> {
  return db.rows(
    sql`select sku, sum(extract(epoch from ended_at - started_at) * 1000)::float8 as ms
      from usage_interval where request_id = ${requestId} group by sku order by sku`,
    z.object({ sku: z.string(), ms: z.number() }),
  );
}

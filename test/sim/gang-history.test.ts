/**
 * Gangs over random histories: machines that die, programs that end, hosts that are lost, cancels, and
 * workers that are killed at any moment. At every step the members of a gang are in one turn and all of
 * them placed or none; in the end nothing of any is left. `SIM_SEED=…` plays one again.
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";
import { z } from "zod";

import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import type { Workload } from "#flow/admit/rows.ts";
import { askCancel } from "#flow/provision/job-asks.ts";
import { Failure } from "#kernel/failure.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase } from "#test/database.ts";

import { lease, rent, shape, storageFolder, type TestTenant } from "./cloud.ts";
import { everyFaultIsOver } from "./history.ts";
import { brokenNow, leftovers } from "./invariants.ts";
import { randomFrom, seeds, type Random } from "./random.ts";
import { simulatedHosts } from "./simulated-hosts.ts";
import { makeWorld, settled, startWorker, type World } from "./world.ts";

const stepsOfHistory = 60;

interface Play {
  readonly world: World;
  readonly random: Random;
  readonly jobs: { readonly tenant: TestTenant; readonly id: string }[];
  readonly log: string[];
}

test.each(seeds(3))(
  "S-09, S-16: gangs start, end and go back whole over a random history, seed %i",
  { timeout: 240_000 },
  async (seed) => {
    const url = await emptyDatabase({ template: "millrace_template" });
    const observer = createObserver({ level: "silent" });
    const db = openDb({ url, connectionsMax: 8, observer, applicationName: "sim" });
    const world = await makeWorld({ db, url });
    const play: Play = { world, random: randomFrom(seed), jobs: [], log: [] };
    const storage = storageFolder();
    let worker = startWorker(world, { storage });
    try {
      for (let step = 0; step < stepsOfHistory; step += 1) {
        const dice = play.random.next();
        if (dice < 0.35) await submit(play);
        else if (dice < 0.45) await cancel(play, play.random.maybePick(play.jobs)?.id);
        else if (dice < 0.85) await trouble(play);
        else if (dice < 0.92) {
          play.log.push("kill");
          await worker.kill();
          worker = startWorker(world, { storage });
        } else world.clock.move(play.random.below(20_000));
        worker.nudge();
        await wait(play.random.below(60));
        const broken = [...(await notWhole(db)), ...(await brokenNow(db))];
        if (broken.length > 0) throw new Error(broken.join("\n"));
      }
      everyFaultIsOver(world);
      for (const { id } of play.jobs) await cancel(play, id);
      await settled(world, [worker], async () => [
        ...(await leftovers(db, world.platform)),
        ...(await notWhole(db)),
      ]);
      expect(await brokenNow(db)).toEqual([]);
    } catch (error) {
      const log = play.log.slice(-30).join("\n");
      throw new Error(`SIM_SEED=${seed} fails after:\n${log}`, { cause: error });
    } finally {
      await worker.kill();
      await db.close();
    }
  },
);

async function submit({ world, random, jobs, log }: Play): Promise<void> {
  const tenant = random.maybePick(world.tenants);
  if (tenant === undefined) return;
  const size = 2 + random.below(3);
  const how = random.chance(0.3) && size === 2 ? "spread" : "pack";
  const id = await rent(
    world.db,
    lease(tenant, {
      kind: "job",
      name: "gang",
      shape: shape(),
      restart: "never",
      workload: workload(random),
      gang: { size, how },
      at: world.now(),
    }),
    ledgerCredit,
  );
  log.push(`submit ${id}, ${size} to ${how}`);
  jobs.push({ tenant, id });
}

function workload(random: Random): Workload {
  return {
    command: ["train"],
    script: null,
    environment: { SIMULATE_SECONDS: String(1 + random.below(30)) },
    inputs: [],
    framework: "none",
    timeLimitSeconds: 3600,
    platformRetriesMax: random.below(3),
    preemptible: false,
    checkpoint: null,
  };
}

async function cancel({ world, jobs, log }: Play, jobId: string | undefined): Promise<void> {
  const job = jobs.find(({ id }) => id === jobId);
  if (jobId === undefined || job === undefined) return;
  log.push(`cancel ${jobId}`);
  const { tenantId } = job.tenant;
  try {
    await world.db.tenant(tenantId, (tx) =>
      askCancel(tx, { tenantId, jobId, by: "somebody", at: world.now() }),
    );
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "wrong_state") throw error;
  }
}

async function trouble({ world: { platform }, random, log }: Play): Promise<void> {
  const machine = random.maybePick(platform.machines())?.spec.id ?? "";
  const host = random.maybePick(simulatedHosts)?.id ?? "";
  const what = random.below(6);
  log.push(`trouble ${what} ${machine} ${host}`);
  switch (what) {
    case 0:
      platform.crash(machine);
      return;
    case 1:
      platform.endProgram(machine, 1);
      return;
    case 2:
      platform.endProgram(machine, 0);
      return;
    case 3:
      platform.faults.failNext("create", {
        code: random.pick(["capacity", "unavailable", "refused"]),
        effect: random.pick(["none", "done", "accepted"]),
      });
      return;
    case 4:
      platform.hostDown(host);
      await wait(random.below(40));
      platform.hostUp(host);
      return;
    case 5:
      platform.faults.failNext("delete", { code: "unavailable", effect: "maybe_none" });
      return;
  }
}

/** Invariant 4 for gangs, at any moment. */
async function notWhole(db: Db): Promise<string[]> {
  const found = await db.rows(
    sql`select 'the gang ' || gang_id || ' is in turns ' || array_agg(distinct turn)::text as finding
      from request where gang_id is not null and ended_at is null
      group by gang_id having count(distinct turn) > 1
      union all
      select 'of the gang ' || r.gang_id || ' ' || count(*) filter (where q.state = 'placed')
        || ' of ' || max(r.gang_size) || ' are placed'
      from request r left join queue_entry q on q.tenant_id = r.tenant_id
        and q.request_id = r.id and q.turn = r.turn
      where r.gang_id is not null
      group by r.gang_id
      having bool_and(r.ended_at is null and r.wanted = 'running')
        and count(*) filter (where q.state = 'placed') not in (0, max(r.gang_size))
      union all
      select 'members of ' || gang_id || ': ' || count(*) || ' of ' || max(gang_size)
      from request where gang_id is not null group by gang_id having count(*) <> max(gang_size)`,
    z.object({ finding: z.string() }),
  );
  return found.map(({ finding }) => finding);
}

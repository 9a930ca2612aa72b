/**
 * `kill -9` of the whole control plane, again and again, while leases are made, stopped, started
 * and released: afterwards there is one machine or none for each, one set of intervals, and nothing
 * is held. Real processes; the platform is shared through a folder.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, expect, test, vi } from "vitest";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { Failure } from "#kernel/failure.ts";
import { parseFen } from "#kernel/money.ts";
import { SimulatedPlatform } from "#providers/simulated/platform.ts";
import { testDatabase } from "#test/database.ts";

import { addTenant, lease, rent } from "./cloud.ts";
import { brokenNow, differsFromPlatform, leftovers, unsettled, wrongUsage } from "./invariants.ts";
import { randomFrom, seeds } from "./random.ts";
import { simulatedHosts } from "./simulated-hosts.ts";

const { db, url } = await testDatabase();
const folder = await mkdtemp(join(tmpdir(), "millrace-kill-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const site = "killed";
const platform = new SimulatedPlatform({ site, hosts: simulatedHosts, directory: folder });
await db.transaction(seedPriceProfile);
const tenant = await addTenant(db, "customer");
await db.tenant(tenant.tenantId, (tx) =>
  recordTopUp(tx, tenant.tenantId, {
    reference: "first",
    amount: parseFen("100000.00"),
    at: Date.now(),
  }),
);

const killsMax = 7;
const leasesMax = 8;

async function startProcess(faultSeed: number): Promise<ChildProcess> {
  const path = join(import.meta.dirname, "worker.ts");
  const child = spawn(
    process.execPath,
    ["--conditions=source", path, url, folder, site, folder, `${faultSeed}`],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

test.each(seeds(1))(
  "killed at any moment, it leaves one machine or none, and balanced books, seed %i",
  { timeout: 120_000 },
  async (seed) => {
    const random = randomFrom(seed);
    const leases: string[] = [];
    const ask = async (): Promise<void> => {
      const leaseId = random.maybePick(leases);
      if (leaseId === undefined || (leases.length < leasesMax && random.chance(0.4))) {
        leases.push(await rent(db, lease(tenant, { name: `vm-${leases.length}` }), ledgerCredit));
        return;
      }
      const key = { tenantId: tenant.tenantId, leaseId, at: Date.now() };
      const wish = random.pick(["stop", "start", "release"] as const);
      await db.tenant(tenant.tenantId, async (tx) => {
        if (wish === "stop") await askStop(tx, { ...key, graceSeconds: 0 });
        else if (wish === "start") await askStart(tx, ledgerCredit, key);
        else await askRelease(tx, key);
      });
    };
    let living = await startProcess(random.below(1e9) + 1);
    for (let kills = 0; kills < killsMax; kills += 1) {
      const next = startProcess(random.below(1e9) + 1);
      for (let count = 0; count < 4; count += 1) {
        await ask().catch((error: unknown) => {
          if (!(error instanceof Failure)) throw error;
        });
        await wait(random.below(120));
      }
      await kill(living);
      living = await next;
    }
    const fresh = await startProcess(0);
    await kill(living);
    await settles(async () => [
      ...(await unsettled(db)),
      ...(await differsFromPlatform(db, platform)),
      ...(await brokenNow(db)),
    ]);
    for (const leaseId of leases) {
      const key = { tenantId: tenant.tenantId, leaseId, at: Date.now() };
      await db
        .tenant(tenant.tenantId, (tx) => askRelease(tx, key))
        .catch((error: unknown) => {
          if (!(error instanceof Failure)) throw error;
        });
    }
    await settles(() => leftovers(db, platform));
    await settles(() => unsettled(db));
    await kill(fresh);
    expect(await wrongUsage(db)).toEqual([]);
    expect(await brokenNow(db)).toEqual([]);
  },
);

function settles(findings: () => Promise<readonly string[]>): Promise<void> {
  return vi.waitFor(async () => expect(await findings()).toEqual([]), {
    timeout: 40_000,
    interval: 100,
  });
}

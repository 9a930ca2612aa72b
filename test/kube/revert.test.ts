/** A machine on a cluster that is put back to a snapshot while it runs: what is billed is what ran. */
import { setImmediate as turn } from "node:timers/promises";

import { afterAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { askRevert, askSnapshot } from "#flow/provision/snapshot-asks.ts";
import { Failure } from "#kernel/failure.ts";
import { decorate } from "#providers/decorate.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, startStages, stateOf, type Running } from "#test/sim/cloud.ts";

import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { TrueRuns } from "./true-runs.ts";

const timeout = 240_000;
const patience = { timeout: 90_000, interval: 30 };

interface Rig {
  readonly cluster: TestCluster;
  readonly runs: TrueRuns;
  readonly tenant: Awaited<ReturnType<typeof addTenant>>;
  readonly db: Awaited<ReturnType<typeof testDatabase>>["db"];
  now(): number;
  forward(seconds: number): Promise<void>;
  away(): Promise<void>;
  back(): void;
}

/** One clock for all, which stands still unless it is set forward: a cluster tells whole seconds. */
async function rig(): Promise<Rig> {
  const { db, observer } = await testDatabase();
  let at = Math.ceil(Date.now() / 1000) * 1000;
  const now = (): number => at;
  const cluster = await startTestCluster({ now, bootMs: 0 });
  for (const name of ["node-3", "node-4", "node-5"]) {
    cluster.nodes.addNode({ name, cpus: 64, memoryGi: 256 });
  }
  const runs = new TrueRuns(cluster.server);
  const tenant = await addTenant(db, "metered");
  let on: { readonly provider: KubevirtProvider; readonly stages: Running } | undefined;
  const back = (): void => {
    const settings = { ...cluster.settings, nodeDiskGib: 10_000 };
    const provider = new KubevirtProvider({ settings, cluster: cluster.server.cluster(), now });
    on = { provider, stages: startStages({ db, observer, provider: decorate(provider), now }) };
  };
  const away = async (): Promise<void> => {
    await on?.stages.stop();
    await on?.provider.close();
    on = undefined;
  };
  afterAll(async () => {
    await away();
    runs.close();
    await cluster.close();
  });
  return {
    cluster,
    runs,
    tenant,
    db,
    now,
    back,
    away,
    async forward(seconds) {
      // What has begun in the cluster is done within the second in which it began.
      for (let turns = 0; turns < 40; turns += 1) await turn();
      at += seconds * 1000;
    },
  };
}

const intervalRow = z.object({
  machine: z.string(),
  from: z.number(),
  until: z.number(),
  billable: z.boolean(),
});
type Interval = z.output<typeof intervalRow>;

function billed({ db }: Rig): Promise<Interval[]> {
  return db.rows(
    sql`select instance_id as machine, billable,
        (extract(epoch from started_at) * 1000)::float8 as from,
        (extract(epoch from ended_at) * 1000)::float8 as until
      from usage_interval where sku = 'cpu.core' order by instance_id, started_at`,
    intervalRow,
  );
}

/** Until then the clock goes on, slowly, so that what rests for a while gets its turn. */
function eventually<T>(of: Rig, look: () => Promise<T>): Promise<T> {
  return vi.waitFor(async () => {
    await of.forward(1);
    return look();
  }, patience);
}

async function ready(of: Rig, ids: readonly string[]): Promise<void> {
  await eventually(of, async () => {
    for (const id of ids) expect(await stateOf(of.db, id)).toMatchObject({ state: "running" });
    const rows = await of.db.rows(
      sql`select id from instance where ready_at is not null`,
      z.object({ id: z.string() }),
    );
    expect(rows.length).toBeGreaterThanOrEqual(ids.length);
  });
}

async function releaseAll(of: Rig, ids: readonly string[]): Promise<void> {
  for (const leaseId of ids) {
    await asked(of, (tx) => askRelease(tx, { ...key(of), leaseId }));
  }
  await eventually(of, async () => {
    for (const id of ids) expect(await stateOf(of.db, id)).toMatchObject({ ended: true });
    const open = await of.db.rows(
      sql`select id from usage_interval where ended_at is null`,
      z.object({ id: z.string() }),
    );
    expect(open).toEqual([]);
  });
}

function key(of: Rig): { readonly tenantId: string; readonly at: number } {
  return { tenantId: of.tenant.tenantId, at: of.now() };
}

/** Whether it was granted; a refusal is an answer. */
async function asked(
  of: Rig,
  ask: (tx: Parameters<Parameters<Rig["db"]["tenant"]>[1]>[0]) => Promise<unknown>,
): Promise<boolean> {
  try {
    await of.db.tenant(of.tenant.tenantId, ask);
    return true;
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "internal") throw error;
    return false;
  }
}

test(
  "H-29, R-PAYG-6: a revert of a running machine bills neither the time that it is off nor any second twice",
  { timeout },
  async () => {
    const of = await rig();
    of.back();
    const id = await rent(of.db, lease(of.tenant, { at: of.now() }));
    await ready(of, [id]);
    await of.forward(100);
    await asked(of, (tx) =>
      askSnapshot(tx, { ...key(of), leaseId: id, name: "before", withMemory: false }),
    );
    const snapshot = await eventually(of, () =>
      of.db.one(
        sql`select id from snapshot where request_id = ${id} and state = 'ready'`,
        z.object({ id: z.string() }),
      ),
    );
    await of.forward(200);
    await asked(of, (tx) => askRevert(tx, { ...key(of), leaseId: id, snapshotId: snapshot.id }));
    await eventually(of, async () => expect(of.runs.begun).toBe(2));
    await ready(of, [id]);
    await of.forward(300);
    await releaseAll(of, [id]);
    const got = await billed(of);
    const [first, last] = of.runs.ended;
    expect(got).toMatchObject([
      { from: first?.readyAt, until: first?.endedAt },
      { from: last?.readyAt },
    ]);
    expect(got[1]?.until).toBeLessThanOrEqual(last?.endedAt ?? 0);
    expect(got[1]?.until).toBeGreaterThan((last?.endedAt ?? 0) - 60_000);
  },
);

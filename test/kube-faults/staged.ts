/**
 * The stages and the database over the driver, to be hurt together: what is ordered, what became of it, and
 * what is metered of it. Closed when the test is over.
 */
import { expect, onTestFinished } from "vitest";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { LoopStatus } from "#loops/loop.ts";
import { decorate } from "#providers/decorate.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { testDatabase } from "#test/database.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { addTenant, lease, rent, startStages, stateOf, type TestTenant } from "#test/sim/cloud.ts";

/** Many loops and a database, on a machine under load. */
export const patience = { timeout: 120_000, interval: 100 };
export const minuteMs = 60_000;

const transitionRow = z.object({ kind: z.string(), at: z.number() });
type Transition = z.infer<typeof transitionRow>;

/** A process that works: its stages, and a driver of its own. */
export interface Process {
  readonly provider: KubevirtProvider;
  readonly loops: () => readonly LoopStatus[];
  readonly end: () => Promise<void>;
}

export interface Staged extends Omit<Process, "end"> {
  readonly cluster: TestCluster;
  readonly first: Process;
  /** Another process on the same database and cluster. */
  readonly another: () => Process;
  readonly db: Db;
  readonly tenant: TestTenant;
  readonly site: string;
  readonly now: () => number;
  /** The clock of all: of the cluster too. */
  readonly forward: (ms: number) => void;
  /** A lease; its request's id. */
  readonly order: (name: string) => Promise<string>;
  readonly state: (requestId: string) => Promise<string | null>;
  readonly until: (requestId: string, state: string) => Promise<void>;
  /** Of its machine in the cluster. */
  readonly placeOf: (
    requestId: string,
  ) => Promise<{ readonly namespace: string; readonly name: string }>;
  readonly transitions: (requestId: string) => Promise<readonly Transition[]>;
  readonly kindsOf: (requestId: string) => Promise<readonly string[]>;
  readonly instantOf: (requestId: string, kind: string) => Promise<number | undefined>;
}

/** `installation`: one that holds the control plane's name on the cluster, and writes down up to when it saw runs. */
export async function startStaged(tenantName: string, installation?: string): Promise<Staged> {
  const { db, observer } = await testDatabase();
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const isMarked = installation !== undefined;
  const cluster = await startTestCluster({
    now,
    bootMs: 0,
    ...(isMarked ? { server: { bookmarkMs: 50 } } : {}),
  });
  const settings = { ...cluster.settings, nodeDiskGib: 10_000 };
  const begun: Process[] = [];
  const another = (): Process => {
    const provider = new KubevirtProvider({
      settings,
      cluster: cluster.server.cluster(),
      now,
      ...(isMarked ? { installation, runsSeenEveryMs: 50 } : {}),
    });
    const stages = startStages({ db, observer, provider: decorate(provider), now });
    const process: Process = {
      provider,
      loops: () => stages.loops.map((loop) => loop.status()),
      end: async () => {
        await stages.stop();
        await provider.close();
      },
    };
    begun.push(process);
    return process;
  };
  const first = another();
  onTestFinished(async () => {
    await Promise.all(begun.map((process) => process.end()));
    await cluster.close();
  });
  const tenant = await addTenant(db, tenantName);

  const state = async (id: string): Promise<string | null> => (await stateOf(db, id)).state;
  const transitions = (id: string): Promise<readonly Transition[]> =>
    db.rows(
      sql`select t.kind, (extract(epoch from t.at) * 1000)::float8 as at
        from transition t join instance i on i.id = t.instance_id
        where i.request_id = ${id} order by t.seq`,
      transitionRow,
    );
  return {
    cluster,
    first,
    another,
    provider: first.provider,
    loops: first.loops,
    db,
    tenant,
    site: settings.site,
    now,
    forward: (ms) => {
      ahead += ms;
    },
    order: (name) => rent(db, lease(tenant, { name, at: now() })),
    state,
    until: async (id, wanted) => {
      await expect.poll(() => state(id), patience).toBe(wanted);
    },
    placeOf: async (id) => ({
      namespace: namespaceName(tenant.projectId),
      name: machineName((await stateOf(db, id)).instance_id ?? ""),
    }),
    transitions,
    kindsOf: async (id) => (await transitions(id)).map(({ kind }) => kind),
    instantOf: async (id, wanted) =>
      (await transitions(id)).find(({ kind }) => kind === wanted)?.at,
  };
}

/**
 * A whole cloud for tests, without the API: a real database, the real loops, and one or more
 * providers. Money is a port here, so that a test can say what a tenant has.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll } from "vitest";
import { z } from "zod";

import { listenForNudges } from "#db/listen.ts";
import { json } from "#db/json.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { admitWork, type Credit, type NewWork } from "#flow/admit/work.ts";
import { meterLoop } from "#flow/meter/loop.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { siteCollector } from "#flow/provision/collect.ts";
import { gangLoop } from "#flow/provision/gang-loop.ts";
import { preemptLoop } from "#flow/provision/preempt-loop.ts";
import { siteWorker } from "#flow/provision/site.ts";
import { attemptLimits, prepareWorkloads, type AttemptLimits } from "#flow/provision/workload.ts";
import { queueLoop } from "#flow/queue/loop.ts";
import { fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";
import { startLoop, type Loop } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Provider } from "#providers/provider.ts";
import { aShape } from "#test/place-states.ts";

export const endlessCredit: Credit = {
  open: () =>
    Promise.resolve({
      available: () => fen(1_000_000_00n),
      hold: () => undefined,
      settle: () => Promise.resolve(),
    }),
};

export interface Running {
  readonly loops: readonly Loop[];
  stop(): Promise<void>;
}

export function startStages(options: {
  readonly db: Db;
  readonly observer: Observer;
  readonly provider: Provider;
  readonly now?: () => number;
  /** Of the tenants' files; a folder of this test file's own when left out. */
  readonly storage?: string;
  readonly limits?: Partial<AttemptLimits>;
  /** `manual`: the test brings home what attempts leave behind. */
  readonly collecting?: "manual";
}): Running {
  const { db, observer, provider, now = Date.now, storage: root = storageFolder() } = options;
  const nudges = listenForNudges(db.url, observer);
  const context = { nudges, observer, now };
  const limits = { ...attemptLimits, ...options.limits };
  const collector = siteCollector({ db, provider, root, limits, observer, now });
  const collecting = options.collecting === "manual" ? [] : [startLoop(collector.loop, context)];
  const site = siteWorker({
    db,
    provider,
    observer,
    now,
    prepareWorkload: prepareWorkloads({ db, root, limits }),
    changed: () => {
      for (const loop of collecting) loop.nudge();
    },
  });
  const loops = [
    startLoop(queueLoop({ db }), context),
    startLoop(placeLoop({ db, now }), context),
    startLoop(preemptLoop({ db, now }), context),
    startLoop(gangLoop({ db, now }), context),
    startLoop(site.loop, context),
    startLoop(meterLoop({ db, now }), context),
    ...collecting,
  ];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      const ended = loops.map((loop) => loop.stop());
      await Promise.all([site.close(), collector.close()]);
      await Promise.all(ended);
      await nudges.close();
    })());
  afterAll(stop);
  return { loops, stop };
}

/** Removed when the test file ends. */
export function storageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-storage-"));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface TestTenant {
  readonly tenantId: string;
  readonly projectId: string;
}

export async function addTenant(db: Db, name: string): Promise<TestTenant> {
  const tenantId = uuid();
  const projectId = uuid();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${tenantId}, 'customer', ${name}, ${name}, 'Asia/Shanghai', now())`);
  await db.execute(sql`
    insert into project (tenant_id, id, name, created_at)
    values (${tenantId}, ${projectId}, 'default', now())`);
  await db.execute(sql`
    insert into quota_limit (tenant_id, limits) values (${tenantId}, ${json(wideLimits)})`);
  return { tenantId, projectId };
}

const wideLimits = {
  vcpus: 100_000,
  memoryMiB: 100_000_000,
  diskGiB: 100_000_000,
  leases: 100_000,
  jobs: 100_000,
  snapshots: 1_000,
  storageGiB: 1_000,
  gpus: { T4: 1000, A10: 1000, A100: 1000 },
};

export function shape(change: Partial<Shape> = {}): Shape {
  return aShape({
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 512,
    diskGiB: 1,
    ...change,
  });
}

export function lease(tenant: TestTenant, change: Partial<NewWork> = {}): NewWork {
  return {
    ...tenant,
    userId: uuid(),
    kind: "lease",
    name: "vm",
    shape: shape(),
    image: "tiny",
    loginUser: "root",
    sshKeys: [],
    userData: undefined,
    restart: "on-failure",
    priority: 30,
    workload: undefined,
    plan: "on_demand",
    price: { hourly: fen(60n), shown: {} },
    at: Date.now(),
    ...change,
  };
}

export async function rent(db: Db, work: NewWork, credit = endlessCredit): Promise<string> {
  const { requestId } = await db.tenant(work.tenantId, (tx) => admitWork(tx, credit, work));
  return requestId;
}

const stateRow = z.object({
  state: z.string().nullable(),
  ended: z.boolean(),
  instance_id: z.string().nullable(),
});

export async function stateOf(db: Db, requestId: string): Promise<z.output<typeof stateRow>> {
  return db.one(
    sql`select i.state, r.ended_at is not null as ended, i.id as instance_id
      from request r left join lateral (select id, state from instance i
        where i.tenant_id = r.tenant_id and i.request_id = r.id
        order by i.created_at desc limit 1) i on true
      where r.id = ${requestId}`,
    stateRow,
  );
}

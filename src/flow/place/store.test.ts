/** Capacity under several hands at once, and with the code out of the way. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { enqueue, waitingEntries, type WaitingEntry } from "#flow/queue/store.ts";
import type { Shape } from "#kernel/shape.ts";
import { testDatabase } from "#test/database.ts";
import { holdingRows } from "#test/holding-rows.ts";
import { aShape } from "#test/place-states.ts";

import { howManyFit } from "./free.ts";
import { hostStates } from "./hosts-read.ts";
import { commitStarts } from "./commit.ts";
import { growPlacement, heldPlacement, keepDiskOnly } from "./store.ts";

const { db } = await testDatabase();
const rows = await holdingRows(db);
const gib = 2 ** 30;
const at = Date.UTC(2026, 0, 1);

interface Tenant {
  readonly tenantId: string;
}

async function newTenant(): Promise<Tenant> {
  return { tenantId: await rows.newTenant() };
}

function shape(change: Partial<Shape> = {}): Shape {
  return aShape({
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 512,
    diskGiB: 1,
    ...change,
  });
}

interface HostOf {
  readonly cpus?: number;
  readonly gpuIsolation?: "hard" | "soft";
  readonly pages2Mi?: number;
}

/** A host of its own for each test; its label keeps others away. */
async function newHost({ cpus = 2, gpuIsolation, pages2Mi = 0 }: HostOf = {}): Promise<{
  readonly id: string;
  readonly label: Readonly<Record<string, string>>;
}> {
  const label = { only: uuid() };
  const t4s = { model: "T4", memoryBytes: 16 * gib, slicesMax: 4 };
  const devices = gpuIsolation === undefined ? [] : [{ ...t4s, isolation: gpuIsolation }];
  const of = {
    cpus,
    memoryBytes: 8 * gib,
    diskBytes: 20 * gib,
    hugePages: { "2Mi": pages2Mi },
    labels: label,
  };
  return { id: await rows.newHost(null, devices, of), label };
}

async function waiting({ tenantId }: Tenant, of: Shape): Promise<WaitingEntry> {
  const id = await rows.newRequest(tenantId, of);
  await enqueue(db, 100);
  const entries = await waitingEntries(db, { oldest: 1000, first: 0 });
  const entry = entries.find((each) => each.requestId === id);
  if (entry === undefined) throw new Error("it does not wait");
  return entry;
}

async function commit(entry: WaitingEntry, hostId: string): Promise<boolean> {
  const { starts, stale } = await commitStarts(db, [[{ entry, hostId }]], at);
  expect(starts.length + stale.length).toBe(1);
  return starts.length === 1;
}

async function instanceOf(entry: WaitingEntry): Promise<string> {
  return (await heldPlacement(db, entry))?.instanceId ?? "nothing is held";
}

const countRow = z.object({ n: z.int() });

async function count(table: "placement" | "gpu_claim", hostId: string): Promise<number> {
  const which =
    table === "placement" ? sql`placement where state <> 'none' and` : sql`gpu_claim where`;
  const { n } = await db.one(
    sql`select count(*)::int as n from ${which} host_id = ${hostId}`,
    countRow,
  );
  return n;
}

const t4 = (slice: number): Shape["gpu"] => ({ model: "T4", count: 1, slice, nvlink: false });

test.each([
  ["the last GPU", { gpuIsolation: "hard", cpus: 16 }, shape({ gpu: t4(1) })],
  ["the last CPUs", { cpus: 2 }, shape({ vcpus: 2 })],
  ["the last huge pages", { cpus: 16, pages2Mi: 256 }, shape({ hugePages: "2Mi" })],
  ["the last place apart", { cpus: 16 }, shape({ antiAffinity: true })],
] as const)(
  "of placers that are after %s at once, one wins and nothing is half",
  async (_, of, ask) => {
    const tenant = await newTenant();
    const host = await newHost(of);
    const entries = [];
    for (let n = 0; n < 4; n += 1)
      entries.push(await waiting(tenant, { ...ask, hostLabels: host.label }));
    const placed = await Promise.all(entries.map((entry) => commit(entry, host.id)));
    expect(placed.filter((won) => won)).toHaveLength(1);
    expect(await count("placement", host.id)).toBe(1);
    expect(await count("gpu_claim", host.id)).toBe(ask.gpu === null ? 0 : 1);
    const states = await db.rows(
      sql`select state, count(*)::int as n from queue_entry
      where request_id = any(${entries.map((entry) => entry.requestId)}::uuid[])
      group by state order by state`,
      z.object({ state: z.string(), n: z.int() }),
    );
    expect(states).toEqual([
      { state: "placed", n: 1 },
      { state: "waiting", n: 3 },
    ]);
  },
);

test("two placers commit one request once", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 16 });
  const entry = await waiting(tenant, shape({ hostLabels: host.label }));
  const placed = await Promise.all([commit(entry, host.id), commit(entry, host.id)]);
  expect(placed.toSorted()).toEqual([false, true]);
  expect(await count("placement", host.id)).toBe(1);
});

test("a request that was stopped or released meanwhile is not placed", async () => {
  const tenant = await newTenant();
  const host = await newHost();
  const entry = await waiting(tenant, shape({ hostLabels: host.label }));
  await db.execute(sql`update request set wanted = 'stopped' where id = ${entry.requestId}`);
  expect(await commit(entry, host.id)).toBe(false);
  expect(await count("placement", host.id)).toBe(0);
});

test("a host that went down since it was planned for is not used", async () => {
  const tenant = await newTenant();
  const host = await newHost();
  const entry = await waiting(tenant, shape({ hostLabels: host.label }));
  await db.execute(sql`update host set state = 'down' where id = ${host.id}`);
  expect(await commit(entry, host.id)).toBe(false);
});

test("asked to start while it still stops, a lease waits for its own disk", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 16 });
  const entry = await waiting(tenant, shape({ hostLabels: host.label }));
  expect(await commit(entry, host.id)).toBe(true);
  const instanceId = await instanceOf(entry);
  await db.execute(sql`update request set turn = 2 where id = ${entry.requestId}`);
  await enqueue(db, 100);
  const again = { ...entry, turn: 2 };
  expect(await commit(again, host.id)).toBe(false);
  await keepDiskOnly(db, { tenantId: tenant.tenantId, instanceId }, 1);
  const elsewhere = await newHost({ cpus: 16 });
  expect(await commit(again, elsewhere.id)).toBe(false);
  expect(await commit(again, host.id)).toBe(true);
  expect(await heldPlacement(db, entry)).toMatchObject({ instanceId, state: "full" });
  // A late word of the first stop does not give back what the second start was granted.
  await keepDiskOnly(db, { tenantId: tenant.tenantId, instanceId }, 1);
  expect(await heldPlacement(db, entry)).toMatchObject({ state: "full" });
});

function bareInsert(tenant: Tenant, requestId: string, hostId: string, milliCpus: number) {
  return sql`
    insert into placement (tenant_id, instance_id, request_id, turn, host_id, milli_cpus,
      memory_bytes, disk_bytes, shape, state, placed_at)
    values (${tenant.tenantId}, ${uuid()}, ${requestId}, 1, ${hostId}, ${milliCpus}, 1, 1,
      ${json(shape())}, 'full', now())`;
}

async function constraintOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return brokenConstraint(error);
  }
}

test("the database refuses to oversell a host, whoever asks", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 2 });
  const one = await waiting(tenant, shape());
  const two = await waiting(tenant, shape());
  await db.execute(bareInsert(tenant, one.requestId, host.id, 1500));
  const over = db.execute(bareInsert(tenant, two.requestId, host.id, 501));
  expect(await constraintOf(over)).toBe("host_capacity");
  const more = db.execute(sql`update placement set milli_cpus = 2001 where host_id = ${host.id}`);
  expect(await constraintOf(more)).toBe("host_capacity");
});

test("also not by two transactions that cannot see each other", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 2 });
  const entries = [];
  for (let n = 0; n < 4; n += 1) entries.push(await waiting(tenant, shape()));
  const results = await Promise.all(
    entries.map(({ requestId }) =>
      constraintOf(
        db.transaction(async (tx) => {
          await tx.execute(bareInsert(tenant, requestId, host.id, 1500));
          await tx.execute(sql`select pg_sleep(0.02)`);
        }),
      ),
    ),
  );
  expect(results.filter((each) => each === undefined)).toHaveLength(1);
  expect(results.filter((each) => each === "host_capacity")).toHaveLength(3);
});

test("also not as a tenant, who does not see what others hold", async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  const host = await newHost({ cpus: 4 });
  const of = shape({ hostLabels: host.label });
  const first = await waiting(mine, of);
  expect(await commit(first, host.id)).toBe(true);
  const instanceId = await instanceOf(first);
  expect(await commit(await waiting(other, { ...of, vcpus: 3 }), host.id)).toBe(true);
  const grown = await db.tenant(mine.tenantId, (tx) =>
    growPlacement(tx, { tenantId: mine.tenantId, instanceId }, { ...of, vcpus: 2 }),
  );
  expect(grown).toBe("full");
  const seen = await db.tenant(mine.tenantId, (tx) => hostStates(tx, 0));
  expect(howManyFit(seen, { tenantId: mine.tenantId, shape: of }).count).toBe(0);
});

test("R-MEM-08: a resize takes no huge pages that are not there", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 16, pages2Mi: 512 });
  const of = shape({ hugePages: "2Mi", hostLabels: host.label });
  const entry = await waiting(tenant, of);
  expect(await commit(entry, host.id)).toBe(true);
  const instanceId = await instanceOf(entry);
  const grow = (memoryMiB: number): Promise<"held" | "full"> =>
    db.tenant(tenant.tenantId, (tx) =>
      growPlacement(tx, { tenantId: tenant.tenantId, instanceId }, { ...of, memoryMiB }),
    );
  expect(await grow(1024)).toBe("held");
  expect(await grow(1026)).toBe("full");
});

test("R-GPU-09: the database refuses more slices than a device has, mixed sizes and shared soft ones", async () => {
  const [one, two] = [await newTenant(), await newTenant()];
  const host = await newHost({ cpus: 16, gpuIsolation: "soft" });
  const quarter = shape({ gpu: t4(4), hostLabels: host.label });
  expect(await commit(await waiting(one, quarter), host.id)).toBe(true);
  const entry = await waiting(two, shape({ hostLabels: host.label }));
  expect(await commit(entry, host.id)).toBe(true);
  const other = await instanceOf(entry);
  const claim = (tenant: Tenant, id: string, slice: number): Promise<unknown> =>
    db.execute(sql`
      insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
      values (${tenant.tenantId}, ${id}, ${host.id}, 'g0', ${slice})`);
  expect(await constraintOf(claim(two, other, 4))).toBe("gpu_capacity");
  await db.execute(sql`update gpu_device set isolation = 'hard' where host_id = ${host.id}`);
  expect(await constraintOf(claim(two, other, 2))).toBe("gpu_capacity");
  expect(await constraintOf(claim(two, other, 4))).toBeUndefined();
  await db.execute(sql`update gpu_device set slices_max = 2 where host_id = ${host.id}`);
  const again = db.execute(sql`update gpu_claim set slice = 4 where host_id = ${host.id}`);
  expect(await constraintOf(again)).toBe("gpu_capacity");
});

test("a host that shrank takes nothing more, and what is on it may still stop", async () => {
  const tenant = await newTenant();
  const host = await newHost({ cpus: 4 });
  const entry = await waiting(tenant, shape({ vcpus: 4, hostLabels: host.label }));
  await commit(entry, host.id);
  const instanceId = await instanceOf(entry);
  await db.execute(sql`update host set cpus = 2 where id = ${host.id}`);
  await keepDiskOnly(db, { tenantId: tenant.tenantId, instanceId }, 1);
  expect(await heldPlacement(db, entry)).toMatchObject({ state: "disk" });
});

/** MT-03: what machines use is collected as it happens, beside what they hold, and watched. */
import { readFile } from "node:fs/promises";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, shape, startStages, stateOf } from "#test/sim/cloud.ts";

import { usageMetrics } from "./usage-metrics.ts";

const { db, observer } = await testDatabase();
const gib = 2 ** 30;
const host = {
  id: "h1",
  cpus: 16,
  memoryBytes: 64 * gib,
  diskBytes: 200 * gib,
  gpus: [
    { id: "g1", model: "T4", slicesMax: 4, memoryBytes: 16 * gib, isolation: "hard" as const },
  ],
  labels: {},
};
const provider = openSimulated({
  site: "sim",
  hosts: [host],
  latencies: { createMs: 5, bootMs: 5 },
});
let later = 0;
const clock = (): number => Date.now() + later;
startStages({ db, observer, provider });
const usage = usageMetrics({ db, observer, now: clock });
const loop = usage.loopFor(provider);
const never = new AbortController().signal;

async function scrape(): Promise<Map<string, number>> {
  const text = await observer.metrics.metrics();
  const lines = text.split("\n").filter((line) => line.startsWith("millrace_"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

async function running(name: string): Promise<{ id: string; tenantId: string; instance: string }> {
  const tenant = await addTenant(db, name);
  const gpu = { model: "T4", count: 1, slice: 4, nvlink: false } as const;
  const of = shape({ vcpus: 4, cpu: { sockets: 1, cores: 4, threads: 1 }, memoryMiB: 2048, gpu });
  const id = await rent(db, lease(tenant, { shape: of, name: "vm" }));
  await vi.waitFor(async () => expect(await stateOf(db, id)).toMatchObject({ state: "running" }), {
    timeout: 30_000,
    interval: 20,
  });
  await vi.waitFor(async () => {
    const open = await db.one(
      sql`select count(*)::int as n from usage_interval
        where request_id = ${id} and sku = 'cpu.core' and ended_at is null`,
      z.object({ n: z.int() }),
    );
    expect(open.n).toBe(1);
  });
  const { instance_id: instance } = await stateOf(db, id);
  return { id, tenantId: tenant.tenantId, instance: instance ?? "" };
}

test("MT-03: GPU, CPU, memory and run time of each machine are there in real time, and add up by customer", async () => {
  const { instance } = await running("acme");
  await loop.pass(never);
  later += 60_000;
  await vi.waitFor(async () => {
    await loop.pass(never);
    const seen = await scrape();
    const of = `site="sim",tenant="acme",kind="lease"`;
    expect(seen.get(`millrace_gpus_held{${of},model="T4"}`)).toBe(0.25);
    expect(seen.get(`millrace_tenant_cpu_cores_held{${of}}`)).toBe(4);
    expect(seen.get(`millrace_tenant_memory_bytes_held{${of}}`)).toBe(2 * gib);
    expect(seen.get(`millrace_tenant_memory_bytes{${of}}`)).toBe(gib / 2);
    const machine = `${of},name="vm",machine="${instance}"`;
    // The simulated platform keeps a fifth of each CPU busy.
    expect(seen.get(`millrace_machine_cpu_cores{${machine}}`)).toBeCloseTo(0.8, 1);
    expect(seen.get(`millrace_machine_memory_bytes{${machine}}`)).toBe(gib / 2);
    expect(seen.get(`millrace_machine_running_seconds{${machine}}`)).toBeGreaterThan(59);
    expect(seen.get(`millrace_machines_unmetered{site="sim"}`)).toBe(0);
    expect(seen.get(`millrace_machines_unseen{site="sim"}`)).toBe(0);
  });
});

test("MT-03: a machine that runs and is not metered is seen, and so is one that is metered and gone", async () => {
  const { id, tenantId, instance } = await running("free");
  later += 120_000;
  await db.execute(sql`
    update usage_interval set ended_at = started_at + interval '1 second'
    where instance_id = ${instance} and sku <> 'storage'`);
  await loop.pass(never);
  expect((await scrape()).get(`millrace_machines_unmetered{site="sim"}`)).toBe(1);
  await db.tenant(tenantId, (tx) => askRelease(tx, { tenantId, leaseId: id, at: Date.now() }));
  await vi.waitFor(async () => {
    await loop.pass(never);
    expect((await scrape()).get(`millrace_machines_unmetered{site="sim"}`)).toBe(0);
  });
  await usage.loopFor({ site: "sim", samples: () => Promise.resolve([]) }).pass(never);
  expect((await scrape()).get(`millrace_machines_unseen{site="sim"}`)).toBe(1);
});

test("MT-03: the dashboard and the alert rules ask for figures that there are", async () => {
  const known = new Set((await observer.metrics.getMetricsAsJSON()).map(({ name }) => name));
  const dashboard = await readFile("docs/operate/grafana/usage.json", "utf8");
  const panels = z
    .object({ panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })) })) })
    .parse(JSON.parse(dashboard)).panels;
  const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(exprs.length).toBeGreaterThan(8);
  const asked = exprs.flatMap((expr) => expr.match(/millrace_[a-z_]+/g) ?? []);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
  const alerts = await readFile("docs/operate/alerts.yml", "utf8");
  expect(alerts).toContain("millrace_machines_unmetered");
});

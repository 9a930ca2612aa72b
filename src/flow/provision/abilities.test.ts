/** What a lease's platform cannot do is refused where it is asked for, with what to do, and nothing is held. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { fen } from "#kernel/money.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import {
  addTenant,
  lease,
  rent,
  shape,
  startStages,
  stateOf,
  type TestTenant,
} from "#test/sim/cloud.ts";

import { findLease } from "./lease-view.ts";
import { askResize } from "./resize.ts";
import { memoryKept } from "./snapshot-memory.ts";

const { db, observer } = await testDatabase();
const fixed = "storage class local lets no disk grow (allowVolumeExpansion)";
const noMemory = "KubeVirt's snapshots hold disks, not memory";
const provider = openSimulated({
  site: "fixed",
  hosts: [
    {
      cpus: 64,
      memoryBytes: 256 * gibibyte,
      diskBytes: 999 * gibibyte,
      gpus: [],
      id: "h",
      labels: {},
    },
  ],
  capabilities: {
    diskGrow: { can: false, because: fixed, classes: ["core"] },
    snapshotWithMemory: { can: false, because: noMemory },
  },
});
startStages({ db, observer, provider });

async function running(tenant: TestTenant, name: string, change: Partial<Shape>): Promise<string> {
  const id = await rent(db, lease(tenant, { name, shape: shape(change) }));
  await vi.waitFor(async () => expect(await stateOf(db, id)).toMatchObject({ state: "running" }), {
    timeout: 30_000,
    interval: 20,
  });
  return id;
}

async function held(leaseId: string): Promise<unknown> {
  return db.rows(
    sql`select disk_bytes, shape from placement where request_id = ${leaseId}`,
    z.record(z.string(), z.unknown()),
  );
}

test("a larger disk where none grows is refused before anything is held; another service class is not meant", async () => {
  const tenant = await addTenant(db, "disks");
  const { tenantId } = tenant;
  const resize = (leaseId: string, change: Partial<Shape>): Promise<unknown> => {
    const wish = { shape: shape(change), price: { hourly: fen(60n), shown: {} } };
    return db.tenant(tenantId, (tx) =>
      askResize(tx, { tenantId, leaseId, at: Date.now(), ...wish }),
    );
  };
  const core = { serviceClass: "core" } as const;
  const there = await running(tenant, "core", core);
  const before = await held(there);
  const { diskGiB } = shape(core);
  const larger = { ...core, diskGiB: diskGiB + 5 };
  await expect(resize(there, larger)).rejects.toMatchObject({
    code: "unsupported",
    message: `The disk of this lease cannot grow: ${fixed}. Keep its ${diskGiB} GiB, or rent another one with a larger disk and move.`,
  });
  expect(await held(there)).toEqual(before);
  expect(await stateOf(db, there)).toMatchObject({ state: "running" });
  expect(await findLease(db, { tenantId, id: there, at: Date.now() })).toMatchObject({
    disk_grow: { can: false, because: fixed },
  });
  // Its size apart, it changes as before.
  await resize(there, { ...core, memoryMiB: 1024 });

  const standard = await running(tenant, "standard", {});
  await resize(standard, { diskGiB: diskGiB + 5 });
});

test("a snapshot holds memory where that is kept, if nobody said; asked for, it is refused with the reason", async () => {
  const tenant = await addTenant(db, "memory");
  const { tenantId } = tenant;
  const leaseId = await running(tenant, "vm", {});
  const kept = (wanted: boolean | undefined): Promise<boolean> =>
    db.tenant(tenantId, (tx) => memoryKept(tx, { tenantId, leaseId }, wanted));
  expect(await kept(undefined)).toBe(false);
  expect(await kept(false)).toBe(false);
  await expect(kept(true)).rejects.toMatchObject({
    code: "unsupported",
    message: `A snapshot of vm cannot hold its memory: ${noMemory}. Take one of the disk alone.`,
  });
  await db.execute(sql`update site set capabilities = capabilities - 'snapshotWithMemory'`);
  expect(await kept(undefined)).toBe(true);
  expect(await kept(true)).toBe(true);
});

test("I-DES-02: the machine of a core tenant is not resized to share its CPUs", async () => {
  const tenant = await addTenant(db, "strict");
  const { tenantId } = tenant;
  const core = { serviceClass: "core" } as const;
  const leaseId = await running(tenant, "vm", core);
  await db.execute(sql`update tenant set service_class = 'core' where id = ${tenantId}`);
  const before = await held(leaseId);
  const to = (change: Partial<Shape>): Promise<unknown> => {
    const price = { hourly: fen(60n), shown: {} };
    const wish = { tenantId, leaseId, at: Date.now(), shape: shape(change), price };
    return db.tenant(tenantId, (tx) => askResize(tx, wish));
  };
  await expect(to({ memoryMiB: 1024 })).rejects.toMatchObject({
    code: "rule_violation",
    message: expect.stringContaining("rents core instances alone"),
  });
  expect(await held(leaseId)).toEqual(before);
  await to({ ...core, memoryMiB: 1024 });
});

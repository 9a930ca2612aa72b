/** The database is set back to a backup while real machines go on running: nobody's is taken away. */

import { expect, onTestFinished, test, vi } from "vitest";

import { backUp } from "#backup/backup.ts";
import { restoreDatabase } from "#backup/restore-database.ts";
import { orphanGraceMs } from "#flow/provision/orphans.ts";
import { present } from "#kernel/assert.ts";

import { addCustomer, qemuPid, rent, ssh, startCloud, succeeded } from "./cloud.ts";

// Disks are copied, and a grace period of a minute passes.
vi.setConfig({ testTimeout: 600_000 });

const cloud = await startCloud("--warm-start", "off");
const acme = await addCustomer(cloud, "acme");
const log = { info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

test("machines from before the backup run on; younger ones are kept, then adopted or removed", async () => {
  const { dataDirectory } = cloud;
  const archive = `${dataDirectory}.backup`;
  const work = {
    archive,
    dataDirectory,
    now: Date.now,
    log,
    signal: AbortSignal.timeout(400_000),
    onProgress: ignore,
  };
  const old = await rent(acme.client(), { name: "old" });
  const left = await rent(acme.client(), { name: "left" });
  await backUp({ ...work, running: "pause" });
  const backedUpAt = Date.now();

  // What the backup does not know: two new machines, and that one is gone.
  const young = await rent(acme.client(), { name: "young" });
  const unwanted = await rent(acme.client(), { name: "unwanted" });
  await ssh(acme, young, "echo precious > /root/note && sync");
  const youngId = present(young.instanceId, "instance");
  const unwantedId = present(unwanted.instanceId, "instance");
  const youngPid = await qemuPid(youngId);
  // No lease tells of these any more, should the test end early.
  onTestFinished(async () => {
    for (const id of [youngId, unwantedId]) {
      const pid = await qemuPid(id);
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
  });
  const leftKey = { params: { leaseId: left.id } };
  await succeeded(acme.client(), (await acme.client().call("releaseLease", leftKey)).operation);
  await cloud.restart(async () => {
    await restoreDatabase(work);
  });

  const operator = cloud.client(cloud.operatorKey);
  const client = acme.client();
  await vi.waitFor(
    async () => {
      const { items } = await operator.call("listOrphans");
      expect(items.map(({ id }) => id).toSorted()).toEqual([youngId, unwantedId].toSorted());
      for (const { state, power, owner } of items) {
        expect({ state, power }).toEqual({ state: "kept", power: "running" });
        expect(owner?.tenantId).toBe(acme.tenantId);
      }
    },
    { timeout: 30_000, interval: 200 },
  );
  expect(await client.call("getLease", { params: { leaseId: old.id } })).toMatchObject({
    state: "running",
  });
  expect(await ssh(acme, old, "echo still")).toBe("still\n");

  // One that is gone since is not billed for the time that the database slept through.
  await vi.waitFor(
    async () => {
      expect(await client.call("getLease", leftKey)).toMatchObject({ state: "failed" });
    },
    { timeout: 30_000, interval: 200 },
  );
  // The meter follows the fact a moment later.
  await vi.waitFor(
    async () => {
      const { items: usage } = await client.call("listUsage", { query: { limit: 200 } });
      const ofLeft = usage.filter(({ resourceId }) => resourceId === left.id);
      expect(ofLeft).not.toEqual([]);
      for (const { until } of ofLeft) {
        expect(Date.parse(present(until, "an end"))).toBeLessThanOrEqual(backedUpAt + 1_000);
      }
    },
    { timeout: 15_000, interval: 200 },
  );

  // The grace period passes: the operator is told, and nothing is taken away.
  await vi.waitFor(
    async () => {
      const { items } = await operator.call("listAlerts");
      expect(items.map(({ kind }) => kind)).toEqual(["orphan_kept", "orphan_kept"]);
    },
    { timeout: 2 * orphanGraceMs, interval: 1_000 },
  );
  expect(await qemuPid(youngId)).toBe(youngPid);

  const adoptedAt = Date.now();
  const adopted = await operator.call("adoptOrphan", {
    params: { machineId: youngId },
    body: { name: "young" },
  });
  expect(adopted.leaseId).toBe(young.id);
  const key = { params: { leaseId: young.id } };
  await vi.waitFor(
    async () => {
      expect(await client.call("getLease", key)).toMatchObject({ state: "running" });
    },
    { timeout: 15_000, interval: 100 },
  );
  expect(await qemuPid(youngId)).toBe(youngPid);
  expect(await ssh(acme, await client.call("getLease", key), "cat /root/note")).toBe("precious\n");
  const { items: since } = await client.call("listUsage", { query: { limit: 200 } });
  const ofYoung = since.filter(({ resourceId }) => resourceId === young.id);
  expect(ofYoung.map(({ sku }) => sku).toSorted()).toEqual(["cpu.core", "mem.gib", "storage"]);
  for (const { from } of ofYoung) expect(Date.parse(from)).toBeGreaterThan(adoptedAt - 1_000);
  await succeeded(client, (await client.call("stopLease", key)).operation);
  await succeeded(client, (await client.call("startLease", key)).operation);
  expect(await ssh(acme, await client.call("getLease", key), "cat /root/note")).toBe("precious\n");
  await succeeded(client, (await client.call("releaseLease", key)).operation);
  expect(await qemuPid(youngId)).toBeUndefined();

  await operator.call("removeOrphan", { params: { machineId: unwantedId } });
  await vi.waitFor(
    async () => {
      expect(await qemuPid(unwantedId)).toBeUndefined();
      expect((await operator.call("listOrphans")).items).toEqual([]);
    },
    { timeout: 30_000, interval: 200 },
  );
});

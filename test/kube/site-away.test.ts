/** Two clusters as sites of the program, of which one stops answering: orders, offers and reasons. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";

import { startApp } from "#app/app.ts";
import { siteAwayAfterMs } from "#catalog/sites.ts";
import { createClient, type Client } from "#client/client.ts";
import { readConfig } from "#config/config.ts";
import { present } from "#kernel/assert.ts";
import { createObserver } from "#observe/observer.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { emptyDatabase } from "#test/database.ts";

import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { kubeconfigOf } from "./kubeconfig.ts";

const waiting = { timeout: 180_000, interval: 100 };
const scratch = await mkdtemp(join(tmpdir(), "millrace-away-"));
await chmod(scratch, 0o711);
let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;
const near = await startTestCluster({ now });
const far = await startTestCluster({ now });
const files = [await fileOf(near, "near"), await fileOf(far, "far")];
const app = await startApp({
  config: readConfig(
    ["--role", "all", "--port", "0", "--local", "off", "--clusters", files.join()],
    { DATABASE_URL: await emptyDatabase() },
  ),
  dataDirectory: await mkdtemp(join(scratch, "data-")),
  repositoryRoot: resolve(import.meta.dirname, "../.."),
  observer: createObserver({ level: "silent" }),
  now,
});
afterAll(async () => {
  await app.close();
  await near.close();
  await far.close();
  await rm(scratch, { recursive: true, force: true });
});

async function fileOf(cluster: TestCluster, site: string): Promise<string> {
  const kubeconfig = `kubeconfig-${site}`;
  await writeFile(join(scratch, kubeconfig), kubeconfigOf(cluster.server));
  const file = join(scratch, `${site}.yaml`);
  await writeFile(file, stringify({ ...cluster.settings, site, kubeconfig }));
  return file;
}

const baseUrl = present(app.url, "the address");
const operator = createClient({
  baseUrl,
  credential: present(app.operator, "the operator").secret,
});

async function freeNow(client: Client): Promise<Readonly<Record<string, number>>> {
  const { items } = await client.call("listOffers");
  return Object.fromEntries(items.map((offer) => [offer.flavor.name, offer.freeNow]));
}

async function lookUntilAway(site: string): Promise<void> {
  await vi.waitFor(async () => {
    const { sites } = await operator.call("getSystem");
    expect(sites.find((each) => each.site === site)).toMatchObject({ reachable: false });
  }, waiting);
  aheadMs += siteAwayAfterMs + 1;
}

test("a cluster that is away takes no orders: they go to the other, or wait for it with a reason, are not billed, and start when it is back", async () => {
  await vi.waitFor(async () => {
    const { items } = await operator.call("listHosts");
    expect(items.map(({ site }) => site).toSorted()).toEqual(["far", "far", "near", "near"]);
  }, waiting);
  await operator.call("createFlavor", {
    body: {
      name: "far-small",
      vcpus: 1,
      cpu: { sockets: 1, cores: 1, threads: 1 },
      memoryMiB: 1024,
      diskGiB: 5,
      placement: { hostLabels: { "millrace/site": "far" }, antiAffinity: false, tolerations: [] },
    },
  });
  const { tenant, administrator } = await operator.call("createTenant", { body: { name: "acme" } });
  await createClient({
    baseUrl,
    credential: present(app.operator, "the operator").secret,
    tenant: tenant.id,
  }).call("createTopUp", { body: { amount: "1000", reference: "transfer 1" } });
  const acme = createClient({ baseUrl, credential: administrator.secret });
  const before = await freeNow(acme);
  expect(before["far-small"]).toBeGreaterThan(0);
  await operator.call("createPool", { body: { name: "both" } });
  for (const { id } of (await operator.call("listHosts")).items) {
    // oxlint-disable-next-line no-await-in-loop -- four
    await operator.call("updateHost", { params: { hostId: id }, body: { pool: "both" } });
  }

  far.server.faults.vanish();
  await lookUntilAway("far");
  await vi.waitFor(async () => {
    const free = await freeNow(acme);
    expect(free["far-small"]).toBe(0);
    // Half of the hosts.
    expect(free["small"]).toBe((before["small"] ?? 0) / 2);
  }, waiting);

  const offers = (await acme.call("listOffers")).items;
  expect(offers.find(({ flavor }) => flavor.name === "far-small")?.reason).toMatchObject({
    code: "site_away",
    message: expect.stringMatching(/^The room for it is at the site far, which has not answered/),
  });
  expect(offers.find(({ flavor }) => flavor.name === "small")?.reason).toBeNull();
  const hosts = (await operator.call("listHosts")).items;
  expect(hosts.map(({ site, siteAwaySince }) => [site, siteAwaySince !== null])).toEqual(
    hosts.map(({ site }) => [site, site === "far"]),
  );
  const pool = await operator.call("getPool", { params: { name: "both" } });
  expect(pool).toMatchObject({ hosts: 4, hostsAway: 2 });
  expect(pool.findings.find(({ code }) => code === "site_away")?.message).toMatch(
    /^2 of its 4 hosts .*: far \(since /,
  );

  const rent = async (name: string, flavor: string): Promise<string> => {
    const body = { name, flavor, image: "tiny" };
    return (await acme.call("createLease", { body })).lease.id;
  };
  const here = await rent("here", "small");
  const there = await rent("there", "far-small");
  const leaseOf = (leaseId: string) => acme.call("getLease", { params: { leaseId } });
  await vi.waitFor(async () => {
    expect(await leaseOf(here)).toMatchObject({ state: "running" });
    expect(await leaseOf(there)).toMatchObject({
      state: "queued",
      reason: { code: "site_away", details: { sites: ["far"] } },
    });
  }, waiting);
  const system = await operator.call("getSystem");
  expect(system.waits).toEqual([
    { on: "site", site: "far", code: "site_away", leases: 1, jobs: 0 },
  ]);
  expect(system.sites).toMatchObject([
    { site: "far", reachable: false, awaySince: expect.any(String) },
    { site: "near", reachable: true, awaySince: null },
  ]);
  const why = await acme.call("explainRequest", { params: { requestId: there } });
  expect(why).toMatchObject({ position: null, start: null });
  expect(why.text).toMatch(
    /^The site far has not answered since .* To give it up: millrace lease delete /,
  );
  expect(near.server.objects.store.all(kinds.machine)).toHaveLength(1);

  aheadMs += 3_600_000;
  const backAt = now();
  far.server.faults.comeBack();
  await vi.waitFor(async () => {
    expect(await leaseOf(there)).toMatchObject({ state: "running", reason: null });
  }, waiting);
  expect(far.server.objects.store.all(kinds.machine)).toHaveLength(1);
  expect((await operator.call("getSystem")).waits).toEqual([]);
  // The hour in which it waited is in no interval.
  await vi.waitFor(async () => {
    const { items } = await acme.call("listUsage");
    const metered = items.filter(({ resourceId }) => resourceId === there);
    expect(metered).not.toEqual([]);
    for (const { from } of metered) expect(Date.parse(from)).toBeGreaterThanOrEqual(backAt - 1000);
  }, waiting);
}, 600_000);

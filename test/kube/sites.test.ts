/** Clusters as sites of the program: one that is away, and a process that writes nothing. */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";

import { startApp, type App } from "#app/app.ts";
import { createClient } from "#client/client.ts";
import { readConfig } from "#config/config.ts";
import { createObserver } from "#observe/observer.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { emptyDatabase } from "#test/database.ts";

import { startTestCluster } from "./driver-cluster.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { sampleSpec } from "./sample-spec.ts";

const waiting = { timeout: 180_000, interval: 100 };
const scratch = await mkdtemp(join(tmpdir(), "millrace-sites-"));
await chmod(scratch, 0o711);
const cluster = await startTestCluster();
const running: App[] = [];
afterAll(async () => {
  for (const app of running) await app.close();
  await cluster.close();
  await rm(scratch, { recursive: true, force: true });
});

await writeFile(join(scratch, "kubeconfig"), kubeconfigOf(cluster.server));
const file = join(scratch, "cluster.yaml");
await writeFile(file, stringify({ ...cluster.settings, kubeconfig: "kubeconfig" }));

async function start(role: "all" | "serve"): Promise<App> {
  const url = await emptyDatabase();
  const app = await startApp({
    config: readConfig(["--role", role, "--port", "0", "--local", "off", "--clusters", file], {
      DATABASE_URL: url,
    }),
    dataDirectory: await mkdtemp(join(scratch, "data-")),
    repositoryRoot: resolve(import.meta.dirname, "../.."),
    observer: createObserver({ level: "silent" }),
  });
  running.push(app);
  return app;
}

test("a cluster that does not answer keeps the program from nothing; it says so, and takes it up when it is back", async () => {
  const { faults } = cluster.server;
  faults.vanish();
  const app = await start("all");
  const baseUrl = app.url ?? "";
  expect(app.looks).toMatchObject([{ site: "cluster-1", execution: undefined }]);
  const operator = createClient({ baseUrl, credential: app.operator?.secret ?? "" });
  const { findings, sites } = await operator.call("getSystem");
  expect(sites).toEqual([]);
  expect(findings).toContainEqual(
    expect.objectContaining({
      severity: "problem",
      message: expect.stringContaining("The site cluster-1 has not answered yet: "),
    }),
  );
  faults.comeBack();
  await vi.waitFor(async () => {
    const now = await operator.call("getSystem");
    expect(now.sites).toMatchObject([{ site: "cluster-1", reachable: true, execution: "kvm" }]);
    expect((await operator.call("listHosts")).items).toHaveLength(2);
  }, waiting);
}, 400_000);

test("a process that serves only reads the cluster, and its driver writes nothing even if it is asked to", async () => {
  const app = await start("serve");
  expect(app.looks).toMatchObject([{ site: "cluster-1", execution: "kvm" }]);
  await app.close();
  running.splice(running.indexOf(app), 1);
  const { settings, server } = cluster;
  const provider = new KubevirtProvider({
    settings,
    cluster: server.cluster(),
    now: Date.now,
    writes: false,
  });
  try {
    const spec = sampleSpec();
    const call = { signal: AbortSignal.timeout(60_000), owner: spec.owner };
    const { store } = server.objects;
    const there = store.all(kinds.namespace).length;
    await expect(
      provider.create({ ...call, operationId: randomUUID() }, spec),
    ).rejects.toMatchObject({ effect: "none" });
    expect(store.all(kinds.namespace)).toHaveLength(there);
    expect(store.all(kinds.machine)).toEqual([]);
  } finally {
    await provider.close();
  }
}, 400_000);

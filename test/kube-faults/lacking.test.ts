/** A cluster that lacks something, has it in another version, changes while we run, or knows us no more. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { TokenFile } from "#providers/kubevirt/client/credentials.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { clusterSettings } from "#providers/kubevirt/driver/settings.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { noSuchResource } from "#test/kube/api/refusal.ts";
import { a100 } from "#test/kube/driver-cluster.ts";
import { byController, setStatus } from "#test/kube/node-side/writing.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";
import { startKube } from "#test/kube/server.ts";

import { all, call, made, read, running, shown, startRig, type Rig } from "./rig.ts";

const kubevirtPlace = { namespace: "kubevirt", name: "kubevirt" };
const minute = 60_000;

/** Without a node side: nothing is made there. */
async function lacking(without: readonly Kind[]): Promise<KubevirtProvider> {
  const server = await startKube({ without });
  const { objects } = server;
  objects.create(kinds.namespace, undefined, { metadata: { name: "kubevirt" } }, byController);
  if (!without.includes(kinds.kubevirt)) {
    const kubevirt = { metadata: { name: "kubevirt" }, spec: {} };
    objects.create(kinds.kubevirt, "kubevirt", kubevirt, byController);
  }
  const storage = {
    metadata: {
      name: "disks",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: "disks.example.com",
  };
  objects.create(kinds.storageClass, undefined, storage, byController);
  const provider = new KubevirtProvider({
    settings: clusterSettings.parse({ site: "lacking" }),
    cluster: server.cluster(),
    now: Date.now,
  });
  onTestFinished(async () => {
    await provider.close();
    await server.close();
  });
  return provider;
}

test("without KubeVirt the site says so at once, and no listing is called whole", async () => {
  const provider = await lacking([kinds.machine, kinds.machineInstance, kinds.kubevirt]);
  await expect
    .poll(() => provider.info(read()).catch((error: unknown) => String(error)))
    .toMatch(/virtualmachines.* could not be looked at yet: .*KubeVirt.* not installed/);
  await expect(provider.machines(read())).rejects.toMatchObject({ code: "unavailable" });
  const spec = sampleSpec();
  await expect(provider.create(call(spec, "op"), spec)).rejects.toMatchObject({ effect: "none" });
});

test("without KubeVirt's own object, and without CDI, the site says which", async () => {
  const bare = await lacking([kinds.dataVolume]);
  await expect(bare.info(read())).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("has no CDI"),
  });
});

test("without snapshots of volumes nothing is called a snapshot", async () => {
  const provider = await lacking([kinds.volumeSnapshotClass, kinds.storageProfile]);
  const { capabilities, version } = await provider.info(read());
  expect(capabilities.snapshotDiskOnly).toMatchObject({ can: false });
  // An older KubeVirt that does not say its version.
  expect(version).toMatch(/^unknown on Kubernetes v/);
});

test("a cluster without claims of devices can delete its machines all the same", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  rig.cluster.server.faults.refuse(1000, noSuchResource, ({ resource }) =>
    resource.startsWith("resourceclaimtemplates."),
  );
  const ref = await rig.provider.delete(call(spec, "end"), spec.id);
  await expect.poll(() => rig.provider.operation(read(), ref)).toEqual({ state: "done" });
});

/** As an administrator edits KubeVirt's own object. */
function configure(rig: Rig, configuration: Record<string, unknown>): void {
  rig.cluster.server.objects.patch(
    kinds.kubevirt,
    kubevirtPlace,
    { spec: { configuration } },
    byController,
  );
}

test("KubeVirt that is upgraded, or set up otherwise, while we run: the site is read again", async () => {
  let ahead = 0;
  const rig = await startRig({ now: () => Date.now() + ahead });
  const { objects } = rig.cluster.server;
  expect((await rig.provider.info(read())).version).toMatch(/^v1\.9\.0 on /);
  setStatus(objects, kinds.kubevirt, kubevirtPlace, { observedKubeVirtVersion: "v1.10.0" });
  configure(rig, { permittedHostDevices: null });
  ahead += 2 * minute;
  expect((await rig.provider.info(read())).version).toMatch(/^v1\.10\.0 on /);
  const spec = sampleSpec({ gpus: [{ deviceId: `${a100}/0`, model: "A100", slice: 1 }] });
  await expect(rig.provider.create(call(spec, "op"), spec)).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("is not among permittedHostDevices"),
  });
  expect(all(rig, kinds.machine)).toEqual([]);
  const pciHostDevices = [{ pciVendorSelector: "10DE:20B5", resourceName: a100 }];
  configure(rig, { permittedHostDevices: { pciHostDevices } });
  ahead += 2 * minute;
  await made(rig, spec);
});

test("definitions that are taken away and come back: nothing is concluded from what cannot be listed", async () => {
  const rig = await startRig();
  const spec = sampleSpec();
  await made(rig, spec);
  const { faults } = rig.cluster.server;
  let isAway = true;
  faults.refuse(
    100_000,
    noSuchResource,
    ({ resource }) => isAway && resource.endsWith(".kubevirt.io"),
  );
  faults.cutWatches();
  await expect
    .poll(() => rig.provider.info(read()).catch((error: unknown) => String(error)))
    .toMatch(/Nothing is known of the cluster since .*KubeVirt/);
  expect(await rig.provider.machines(read())).toMatchObject({
    complete: false,
    items: [{ id: spec.id, power: { value: "running" } }],
  });
  const end = rig.provider.delete(call(spec, "end"), spec.id);
  await expect(end).rejects.toMatchObject({ code: "unavailable", effect: "none" });
  isAway = false;
  await expect.poll(async () => (await rig.provider.machines(read())).complete).toBe(true);
  expect(await shown(rig.provider, spec)).toMatchObject({ power: { value: "running" } });
});

test("a token that ends: the site says so in words while there is no other, and goes on with the next", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-token-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "token");
  // The first that the server gives out; written before anybody asks for it.
  await writeFile(path, "token-1");
  const rig = await startRig({ as: (to) => ({ ...to, credentials: new TokenFile(path) }) });
  const { server } = rig.cluster;
  const spec = sampleSpec();
  await made(rig, spec);
  server.faults.expireToken(server.token);
  server.faults.cutWatches();
  await expect
    .poll(() => rig.provider.info(read()).catch((error: unknown) => String(error)))
    .toMatch(/Nothing is known of the cluster since .* The cluster does not know us: /);
  const other = sampleSpec();
  await expect(rig.provider.create(call(other, "op"), other)).rejects.toMatchObject({
    code: "unavailable",
    effect: "none",
  });
  expect((await rig.provider.machines(read())).complete).toBe(false);
  await rm(path);
  await expect(rig.provider.create(call(other, "op"), other)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("Cannot sign in to the cluster"),
  });
  await writeFile(path, server.issueToken());
  await rig.provider.create(call(other, "op"), other);
  await running(rig.provider, other);
  await expect.poll(async () => (await rig.provider.machines(read())).complete).toBe(true);
  await expect(rig.provider.info(read())).resolves.toMatchObject({ kind: "kubevirt" });
});

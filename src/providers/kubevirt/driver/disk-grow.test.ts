/** What the storage of a site takes away from changes of size: said before they are asked for, and refused as what it is. */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { decorate } from "#providers/decorate.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Capability, Machine, MachineSpec } from "#providers/provider.ts";
import { textAt } from "#test/kube/api/json.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { withFileSystem } from "#test/kube/node-side/volumes.ts";
import { byController } from "#test/kube/node-side/writing.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";
import { claimBytes } from "./resize.ts";

let aheadMs = 0;
const now = (): number => Date.now() + aheadMs;
const waiting = { timeout: 30_000, interval: 20 };
const never = new AbortController().signal;
const cluster = await startTestCluster({ now });
const { objects } = cluster.server;
const settings = { ...cluster.settings, classes: { ...cluster.settings.classes } };
settings.classes.core = { ...settings.classes.core, storageClass: "local-fast" };
const provider = decorate(
  new KubevirtProvider({ settings, cluster: cluster.server.cluster(), now }),
);
beforeAll(() => {
  const metadata = { name: "local-fast" };
  const local = { metadata, provisioner: "local", allowVolumeExpansion: true };
  objects.create(kinds.storageClass, undefined, local, byController);
});
afterAll(async () => {
  await provider.close();
  await cluster.close();
});

function allows(name: string, allowVolumeExpansion: boolean): void {
  const write = { manager: "test", validation: "none" } as const;
  objects.patch(kinds.storageClass, { name }, { allowVolumeExpansion }, write);
}

/** What the cluster is, is read again after a minute. */
async function diskGrow(expected: Capability): Promise<void> {
  aheadMs += 61_000;
  await vi.waitFor(async () => {
    const { capabilities } = await provider.info({ signal: never });
    expect(capabilities.diskGrow).toEqual(expected);
  }, waiting);
}

async function made(serviceClass: MachineSpec["serviceClass"]): Promise<Machine> {
  const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
  const id = randomUUID();
  const call = { signal: never, operationId: `${id}:create`, owner };
  const spec = sampleSpec({ id, network: "net-1", sshKeys: [], owner, serviceClass });
  await provider.create(call, spec);
  return vi.waitFor(async () => {
    const machine = await provider.machine({ signal: never }, id);
    if (machine?.power.value !== "running") throw new Error("it does not run yet");
    return machine;
  }, waiting);
}

async function grow({ id, owner, diskBytes }: Machine): Promise<unknown> {
  const call = { signal: never, operationId: randomUUID(), owner: present(owner, "its owner") };
  return provider.resize(call, id, { diskBytes: diskBytes * 2 });
}

/** What its claims ask for, in the cluster's own words. */
function sizes(): readonly string[] {
  return objects.store
    .all(kinds.claim)
    .map((claim) => textAt(claim, "spec", "resources", "requests", "storage"));
}

/** Bytes of the last claim beyond what CDI would make it for such a disk. */
function beyond(disk: number): bigint {
  return BigInt(sizes().at(-1) ?? "") - withFileSystem(BigInt(disk));
}

test("a claim grows with what its file system takes beside the disk, by little too, and once", async () => {
  const machine = await made("core");
  const { owner, diskBytes } = machine;
  const call = () => ({
    signal: never,
    operationId: randomUUID(),
    owner: present(owner, "its owner"),
  });
  expect(beyond(diskBytes)).toBe(0n);
  // Less than the claim has already: what CDI added is not the disk's.
  const little = diskBytes + 2 ** 26;
  await provider.resize(call(), machine.id, { diskBytes: little });
  expect(beyond(little)).toBe(0n);
  await provider.resize(call(), machine.id, { diskBytes: little });
  expect(beyond(little)).toBe(0n);
  await provider.resize(call(), machine.id, { diskBytes: 4 * diskBytes });
  // Rounded up each time: by a few bytes, and never down.
  expect(beyond(4 * diskBytes)).toBeGreaterThanOrEqual(0n);
  expect(beyond(4 * diskBytes)).toBeLessThan(4096n);
});

test("R-MEM-06: memory is plugged in where machines can move, and nowhere else", async () => {
  const one = "only one node may open a disk of this storage at a time (it has no ReadWriteMany)";
  const spec = { workloadUpdateStrategy: { workloadUpdateMethods: ["LiveMigrate"] } };
  const write = { manager: "test", validation: "none" } as const;
  objects.patch(kinds.kubevirt, { namespace: "kubevirt", name: "kubevirt" }, { spec }, write);
  aheadMs += 61_000;
  await vi.waitFor(async () => {
    expect((await provider.info({ signal: never })).capabilities).toMatchObject({
      moveLive: { can: false, because: one },
      resizeMemoryLive: { can: false, because: `memory is plugged in by a move: ${one}` },
    });
  }, waiting);
});

test("what is no share of a file system is not grown by", () => {
  expect(claimBytes(40n, { madeFor: 10n, has: 10n })).toBe(40n);
  expect(claimBytes(200n, { madeFor: 100n, has: 106n })).toBe(212n);
  expect(claimBytes(40n, { madeFor: 10n, has: 20n })).toBe(40n);
  expect(claimBytes(40n, { madeFor: 20n, has: 10n })).toBe(40n);
});

const because = "storage class local-fast lets no disk grow (allowVolumeExpansion)";
const refusal = { code: "refused", effect: "none", message: because };

test("storage without allowVolumeExpansion: the site says for which class no disk grows, and a larger one is refused", async () => {
  await diskGrow({ can: true });
  const core = await made("core");
  const standard = await made("standard");
  const before = sizes();

  // The driver has not seen the change yet: what the cluster answers is no matter of permissions.
  allows("local-fast", false);
  await expect(grow(core)).rejects.toMatchObject(refusal);
  await diskGrow({ can: false, because, classes: ["core"] });
  await expect(grow(core)).rejects.toMatchObject(refusal);
  expect(sizes()).toEqual(before);
  expect(await provider.machine({ signal: never }, core.id)).toMatchObject({
    diskBytes: core.diskBytes,
  });

  await grow(standard);
  expect(await provider.machine({ signal: never }, standard.id)).toMatchObject({
    diskBytes: standard.diskBytes * 2,
  });
  allows("ceph-block", false);
  await diskGrow({
    can: false,
    because: "storage class local-fast, ceph-block lets no disk grow (allowVolumeExpansion)",
  });

  allows("local-fast", true);
  allows("ceph-block", true);
  await diskGrow({ can: true });
  await grow(core);
  expect(sizes()).not.toEqual(before);
});

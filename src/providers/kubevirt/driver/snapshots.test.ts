/** What is taken of a machine whose storage cannot be snapshot: nothing, and it is said before. */
import { afterAll, expect, test, vi } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

const call = { signal: new AbortController().signal };

test("H-29: a snapshot that would hold no disk is refused before KubeVirt makes one of the configuration alone, and nothing can be cloned", async () => {
  const cluster = await startTestCluster();
  afterAll(() => cluster.close());
  const { server, settings } = cluster;
  const { store } = server.objects;
  for (const each of store.all(kinds.volumeSnapshotClass)) {
    store.remove(kinds.volumeSnapshotClass, each);
  }
  const provider = new KubevirtProvider({ settings, cluster: server.cluster(), now: Date.now });
  afterAll(() => provider.close());
  const spec = sampleSpec();
  const ask = (operationId: string) => ({ ...call, operationId, owner: spec.owner });
  await provider.create(ask("create"), spec);
  await vi.waitFor(
    async () => {
      expect((await provider.machine(call, spec.id))?.power.value).toBe("running");
    },
    { timeout: 60_000, interval: 50 },
  );
  const { capabilities } = await provider.info(call);
  const because = expect.stringContaining("VolumeSnapshotClass");
  for (const capability of ["snapshotDiskOnly", "keepSnapshot", "clone"] as const) {
    expect(capabilities[capability]).toEqual({ can: false, because });
  }
  const snapshot = { id: "00000000-0000-4000-8000-00000000000b", name: "s", withMemory: false };
  await expect(provider.snapshot(ask("take"), spec.id, snapshot)).rejects.toMatchObject({
    code: "refused",
    effect: "none",
    message: because,
  });
  expect(store.all(kinds.snapshot)).toEqual([]);
});

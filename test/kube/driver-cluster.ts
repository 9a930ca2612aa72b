/**
 * A cluster to test the driver on: the API server and the node side of test/kube, set up as an operator
 * would set a real one up, with guests whose agent answers and an SSH server behind every service.
 */
import { createServer } from "node:net";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { claimResize } from "./api/claim-resize.ts";
import { textAt, listAt } from "./api/json.ts";
import { startNodeSide, type NodeSide, type NodeSideOptions } from "./node-side/node-side.ts";
import { byController, setStatus, withConditions } from "./node-side/writing.ts";
import { startKube, type KubeServer, type KubeServerOptions } from "./server.ts";

import { clusterSettings, type ClusterSettings } from "#providers/kubevirt/driver/settings.ts";

export const a100 = "nvidia.com/GA100_A100_PCIE_80GB";

export interface TestCluster {
  readonly server: KubeServer;
  readonly nodes: NodeSide;
  readonly settings: ClusterSettings;
  close(): Promise<void>;
}

export async function startTestCluster(
  options: {
    readonly bootMs?: number;
    readonly now?: () => number;
    readonly server?: KubeServerOptions;
    readonly side?: NodeSideOptions;
  } = {},
): Promise<TestCluster> {
  const { now = Date.now } = options;
  const server = await startKube({ ...options.server, now });
  setUp(server);
  const nodes = startNodeSide(server, {
    ...options.side,
    bootMs: options.bootMs ?? 20,
    nodes: ["node-1", "node-2"].map((name) => ({
      name,
      resources: { [a100]: 1 },
      labels: { "kubevirt.io/cpumanager": "true" },
    })),
  });
  const ssh = await sshServer();
  const forget = followGuests(server, ssh.port);
  return {
    server,
    nodes,
    settings: clusterSettings.parse({
      site: "cluster-1",
      gpus: { [a100]: { model: "A100", memoryGib: 80 } },
      images: { tiny: { dataSource: "tiny", namespace: "millrace-images" } },
      sshService: "NodePort",
      sshHost: "127.0.0.1",
    }),
    close: async () => {
      forget();
      nodes.close();
      await ssh.close();
      await server.close();
    },
  };
}

/** What an administrator installs: KubeVirt's own object, storage with snapshots, the namespace of images. */
function setUp({ objects }: KubeServer): void {
  objects.admissions.add(claimResize(objects));
  objects.create(kinds.namespace, undefined, { metadata: { name: "kubevirt" } }, byController);
  objects.create(
    kinds.namespace,
    undefined,
    { metadata: { name: "millrace-images" } },
    byController,
  );
  const kubevirt = {
    metadata: { name: "kubevirt" },
    spec: {
      configuration: {
        developerConfiguration: { cpuAllocationRatio: 1 },
        permittedHostDevices: {
          pciHostDevices: [{ pciVendorSelector: "10DE:20B5", resourceName: a100 }],
        },
      },
    },
  };
  objects.create(kinds.kubevirt, "kubevirt", kubevirt, byController);
  const status = { phase: "Deployed", observedKubeVirtVersion: "v1.9.0" };
  setStatus(objects, kinds.kubevirt, { namespace: "kubevirt", name: "kubevirt" }, status);
  const storage = {
    metadata: {
      name: "ceph-block",
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: "rbd.csi.ceph.com",
    allowVolumeExpansion: true,
  };
  objects.create(kinds.storageClass, undefined, storage, byController);
  const profile = { metadata: { name: "ceph-block" }, spec: {} };
  objects.create(kinds.storageProfile, undefined, profile, byController);
  setStatus(objects, kinds.storageProfile, profile.metadata, {
    claimPropertySets: [{ accessModes: ["ReadWriteMany"], volumeMode: "Block" }],
  });
  const snapshots = {
    metadata: { name: "ceph-block" },
    driver: "rbd.csi.ceph.com",
    deletionPolicy: "Delete",
  };
  objects.create(kinds.volumeSnapshotClass, undefined, snapshots, byController);
}

/** The agent of each guest answers once it runs; a service's port is where the SSH server listens. */
function followGuests({ objects }: KubeServer, sshPort: number): () => void {
  return objects.store.listen(({ kind, after }) => {
    if (after === undefined) return;
    const { namespace, name } = after.metadata;
    if (kind === kinds.machineInstance && textAt(after, "status", "phase") === "Running") {
      const known = listAt(after, "status", "conditions");
      if (known.some((each) => textAt(each, "type") === "AgentConnected")) return;
      setImmediate(() => {
        const now = objects.store.get(kind, { namespace, name });
        if (now === undefined) return;
        const agent = [{ type: "AgentConnected", status: "True" } as const];
        setStatus(
          objects,
          kind,
          { namespace, name },
          {
            conditions: withConditions(now, agent, objects.now()),
          },
        );
      });
    }
    if (
      kind === kinds.service &&
      listAt(after, "spec", "ports").every((port) => textAt(port, "nodePort") === "")
    ) {
      const ports = [{ name: "ssh", port: 22, targetPort: 22, protocol: "TCP", nodePort: sshPort }];
      setImmediate(() => {
        const place = { namespace, name };
        const there = objects.store.get(kind, place);
        if (there === undefined || JSON.stringify(there).includes('"nodePort"')) return;
        objects.patch(kind, place, { spec: { ports } }, byController);
      });
    }
  });
}

async function sshServer(): Promise<{
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("SSH-2.0-Test\r\n");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens nowhere");
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

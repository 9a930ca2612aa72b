/** The cluster that somebody pointed `npm run test:cluster` at, and a machine to make there. */
import { randomUUID } from "node:crypto";

import { z } from "zod";

import { readClusterFiles } from "#app/cluster-files.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { kubeconfig } from "#providers/kubevirt/client/kubeconfig.ts";
import { clusterSettings, type ClusterSettings } from "#providers/kubevirt/driver/settings.ts";
import type { MachineSpec, Owner } from "#providers/provider.ts";

/** As bin/test-cluster.mjs hands them on. */
const options = z.strictObject({
  kubeconfig: z.string(),
  context: z.string().optional(),
  settings: z.string().optional(),
  image: z.string().optional(),
  skip: z.array(z.string()),
  fakeNodes: z.boolean(),
  nodesKubeconfig: z.string().optional(),
});

export interface UnderTest {
  readonly cluster: Cluster;
  readonly settings: ClusterSettings;
  readonly skip: readonly string[];
  readonly fakeNodes: boolean;
  /** For who plays the fake nodes, which the driver itself may not. */
  readonly nodesCluster: Cluster;
}

export async function underTest(): Promise<UnderTest> {
  const text = process.env["MILLRACE_TEST_CLUSTER"];
  if (text === undefined) throw new Error("npm run test:cluster says which cluster");
  const given = options.parse(JSON.parse(text));
  const { context, skip, fakeNodes } = given;
  const [file] = given.settings === undefined ? [] : await readClusterFiles([given.settings]);
  const settings = file?.settings ?? clusterSettings.parse(settingsOf(given.image ?? ""));
  if (Object.keys(settings.images).length === 0) {
    throw new Error("The settings name no image; a machine needs one to start from.");
  }
  const named = context === undefined ? {} : { context };
  const { env: environment } = process;
  const cluster = await kubeconfig({ path: given.kubeconfig, environment, ...named });
  const { nodesKubeconfig: path } = given;
  return {
    cluster,
    nodesCluster: path === undefined ? cluster : await kubeconfig({ path, environment }),
    // A name of its own: what a server makes there is another's to it.
    settings: { ...settings, controlPlane: `${settings.controlPlane}-conformance` },
    skip,
    fakeNodes,
  };
}

function settingsOf(image: string): Readonly<Record<string, unknown>> {
  const source = image.startsWith("docker://") ? { registry: image } : { http: image };
  return { site: "under-test", images: { conformance: { ...source, minDiskGib: 10 } } };
}

const gib = 1024 ** 3;
const mib = 1024 ** 2;

/** The smallest that its image takes. */
export function smallMachine(
  settings: ClusterSettings,
  on: { readonly hostId: string; readonly owner: Owner },
): MachineSpec {
  const [[name, image] = ["", undefined]] = Object.entries(settings.images);
  return {
    id: randomUUID(),
    name: "conformance",
    hostId: on.hostId,
    image: name,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryBytes: Math.max(gib, (image?.minMemoryMib ?? 0) * mib),
    diskBytes: (image?.minDiskGib ?? 1) * gib,
    gpus: [],
    serviceClass: "standard",
    network: on.owner.tenantId,
    loginUser: image?.loginUser ?? "root",
    sshKeys: [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 nobody",
    ],
    owner: on.owner,
  };
}

export function newOwner(): Owner {
  return { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
}

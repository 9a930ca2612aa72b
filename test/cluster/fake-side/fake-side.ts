/**
 * Two nodes that are not there, on a control plane that is: kubelets, virt-handlers, CDI and a storage
 * driver, as far as they write to the API. KubeVirt's own webhooks and controllers, the scheduler and
 * the garbage collector are the cluster's.
 */
import { z } from "zod";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Cluster } from "#providers/kubevirt/client/cluster.ts";
import { fixedCredential } from "#providers/kubevirt/client/credentials.ts";
import type { ObjectName } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { follow, soon } from "./follow.ts";
import { enter, machineControllers } from "./machines.ts";
import { type FakeNode, keepNodesAlive, makeNodes, removeNodes } from "./nodes.ts";
import { storageControllers } from "./storage.ts";

export interface FakeSide {
  /** The guest ends by itself. */
  guestEnds(machine: ObjectName, how: "shut down" | "crashed"): Promise<void>;
  close(): Promise<void>;
}

/** KubeVirt's webhook takes no word on how a machine is but from its own accounts, without saying so. */
const accountName = "kubevirt-controller";
const tokenSeconds = 3600;

export async function startFakeSide(
  cluster: Cluster,
  of: {
    /** Where KubeVirt itself is. */
    readonly kubevirtNamespace: string;
    readonly nodes: readonly FakeNode[];
    /** Whether a namespace's disks are to be made. */
    readonly namespaces: (namespace: string) => boolean;
  },
): Promise<FakeSide> {
  const client = new KubeClient(cluster);
  const kubevirt = new KubeClient(await asKubevirt(client, cluster, of.kubevirtNamespace));
  await makeNodes(client, of.nodes);
  const names = of.nodes.map(({ name }) => name);
  const ending = new AbortController();
  const { signal } = ending;
  const controllers = [
    ...storageControllers(client, of.namespaces),
    ...machineControllers({ client, kubevirt }, new Set(names)),
  ];
  const running = Promise.all([
    keepNodesAlive(client, names, signal),
    ...controllers.map((each) => follow(client, each, signal)),
  ]);
  return {
    guestEnds: async (machine, how) => {
      const instance = await client.get(soon(), kinds.machineInstance, machine);
      if (instance === undefined) throw new Error(`${machine.name} does not run`);
      await enter(kubevirt, instance, how === "shut down" ? "Succeeded" : "Failed", {});
    },
    close: async () => {
      ending.abort();
      await running;
      await removeNodes(client, names);
      kubevirt.close();
      client.close();
    },
  };
}

/** Without it nobody makes an instance of a machine, and there is nothing to play. */
export async function hasKubevirt(client: KubeClient, namespace: string): Promise<boolean> {
  const name = { namespace, name: accountName };
  return (await client.get(soon(), kinds.serviceAccount, name)) !== undefined;
}

async function asKubevirt(client: KubeClient, cluster: Cluster, namespace: string) {
  const body = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: tokenSeconds },
  };
  const name = { namespace, name: accountName };
  const asked = { name, action: "token", method: "POST", body } as const;
  const { status } = tokenShape.parse(await client.act(soon(), kinds.serviceAccount, asked));
  return { ...cluster, credentials: fixedCredential({ token: status.token }) };
}

const tokenShape = z.object({ status: z.object({ token: z.string() }) });

/**
 * On a control plane without nodes: what can be seen while no guest boots. Two nodes are made and taken
 * away again; `fake-side/` plays them, their storage and CDI. KubeVirt's webhooks and controllers are
 * the cluster's own.
 */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { conformance } from "#providers/conformance.ts";
import { decorate } from "#providers/decorate.ts";
import { KubeClient } from "#providers/kubevirt/client/client.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Provider } from "#providers/provider.ts";

import { hasKubevirt, startFakeSide } from "./fake-side/fake-side.ts";
import { fakeLabel, makeNodes, removeNodes } from "./fake-side/nodes.ts";
import { newOwner, smallMachine, underTest } from "./under-test.ts";

const given = await underTest();
const { cluster, nodesCluster, fakeNodes, skip } = given;
const settings = { ...given.settings, nodes: { [fakeLabel]: "true" } };
const names = ["millrace-fake-1", "millrace-fake-2"];
const [host = ""] = names;
/** One of each that a device plug-in would count. */
const gpus = Object.entries(settings.gpus).flatMap(([resource, { deviceClass }]) =>
  deviceClass === undefined ? [resource] : [],
);
const nodes = names.map((name) => ({ name, gpus }));
const waiting = { timeout: 120_000, interval: 200 };
const soon = () => ({ signal: AbortSignal.timeout(60_000) });

function open(): Provider {
  return decorate(new KubevirtProvider({ settings, cluster, now: Date.now }));
}

describe.skipIf(!fakeNodes)("on nodes that nobody runs", () => {
  const client = new KubeClient(nodesCluster);
  const provider = open();
  const owner = newOwner();
  const spec = smallMachine(settings, { hostId: host, owner });
  const place = { namespace: namespaceName(owner.projectId), name: machineName(spec.id) };
  const call = () => ({ ...soon(), owner, operationId: randomUUID() });

  beforeAll(() => makeNodes(client, nodes));
  afterAll(async () => {
    await provider.delete({ ...call() }, spec.id).catch(() => undefined);
    await removeNodes(client, names);
    await client.delete(soon(), kinds.namespace, { name: place.namespace });
    await provider.close();
    client.close();
  });

  test("the driver says what the cluster is, and has its nodes as hosts", async () => {
    expect(await provider.info(call())).toMatchObject({ kind: "kubevirt", site: settings.site });
    await vi.waitFor(async () => {
      const { items, complete } = await provider.hosts(call());
      expect(complete).toBe(true);
      expect(items.map(({ id }) => id).toSorted()).toEqual(names);
      expect(items.map(({ cpus }) => cpus)).toEqual([8, 8]);
    }, waiting);
  });

  test("a machine is accepted as it is, and asked for again is the same", async () => {
    const create = call();
    const first = await provider.create(create, spec);
    expect(await provider.create(create, spec)).toEqual(first);
    expect(await provider.create(call(), spec)).toMatchObject({ machineId: spec.id });
    const { items } = await client.list(call(), kinds.machine, { namespace: place.namespace });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([place.name]);
    expect(await provider.machine(call(), spec.id)).toMatchObject({ id: spec.id, owner });
  });

  test("another owner's hands are kept off, and what is deleted is gone", async () => {
    const stranger = { ...call(), owner: newOwner() };
    await expect(provider.delete(stranger, spec.id)).rejects.toMatchObject({ code: "refused" });
    await provider.delete(call(), spec.id);
    await vi.waitFor(async () => {
      expect(await client.get(call(), kinds.machine, place)).toBeUndefined();
    }, waiting);
    await expect(provider.create(call(), spec)).rejects.toMatchObject({ code: "refused" });
  });
});

const needsHandler = "virt-api hands it to the virt-handler of the node, and there is none";
const needsGuest = "no guest runs";
const needsStorage = "no storage driver takes snapshots";
const beyond: Readonly<Record<string, string>> = {
  reboot: needsHandler,
  restart: needsHandler,
  pause: needsHandler,
  samples: needsHandler,
  activity: needsHandler,
  "move-live": needsHandler,
  "resize-memory": needsHandler,
  "serial-replay": needsGuest,
  "serial-abort": needsGuest,
  vnc: needsGuest,
  ssh: needsGuest,
  crash: "KubeVirt starts a crashed machine anew by itself",
  "snapshot-memory": needsStorage,
  "snapshot-disk": needsStorage,
  "snapshot-kept": needsStorage,
  clone: needsStorage,
};

const { kubevirtNamespace } = settings;
const isPlayed = fakeNodes && (await kubevirtIsThere());

async function kubevirtIsThere(): Promise<boolean> {
  const client = new KubeClient(nodesCluster);
  try {
    return await hasKubevirt(client, kubevirtNamespace);
  } finally {
    client.close();
  }
}

describe.skipIf(!isPlayed)("on nodes that are played", () => {
  conformance("kubevirt", {
    create: async () => {
      const client = new KubeClient(nodesCluster);
      const owner = newOwner();
      const namespace = namespaceName(owner.projectId);
      const side = await startFakeSide(nodesCluster, {
        nodes,
        kubevirtNamespace,
        namespaces: (name) => name === namespace,
      });
      let provider = open();
      const placeOf = (id: string) => ({ namespace, name: machineName(id) });
      return {
        provider,
        owner,
        spec: (overrides) => ({ ...smallMachine(settings, { hostId: host, owner }), ...overrides }),
        timings: { readyMs: 300_000, operationMs: 300_000, tickMs: 1_000 },
        restart: async () => {
          await provider.close();
          provider = open();
          return provider;
        },
        shutDownFromInside: (id) => side.guestEnds(placeOf(id), "shut down"),
        close: async () => {
          await provider.close();
          await client.delete(soon(), kinds.namespace, { name: namespace });
          await side.close();
          client.close();
        },
      };
    },
    skips: [
      ...Object.entries(beyond).map(([id, because]) => ({ test: id, because })),
      ...skip.map((id) => ({ test: id, because: "left out by who ran it" })),
    ],
  });
});

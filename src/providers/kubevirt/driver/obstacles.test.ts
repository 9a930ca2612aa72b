/** What hangs is asked about, a few at a time; what is well, and a look at all of them, asks nobody. */
import { randomUUID } from "node:crypto";

import { afterAll, expect, test, vi } from "vitest";

import { decorate } from "#providers/decorate.ts";
import { machineCondition } from "#providers/kubevirt/observe/condition.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";
import type { Machine } from "#providers/provider.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";
import { remarksOf } from "./remarks.ts";

/** It goes on only when a test says so. */
let aheadMs = 0;
const startedAt = Date.now();
const now = (): number => startedAt + aheadMs;
const waiting = { timeout: 30_000, interval: 20 };
const never = new AbortController().signal;
const cluster = await startTestCluster({ now });
const provider = decorate(
  new KubevirtProvider({ settings: cluster.settings, cluster: cluster.server.cluster(), now }),
);
afterAll(async () => {
  await provider.close();
  await cluster.close();
});

async function made(): Promise<string> {
  const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
  const id = randomUUID();
  const call = { signal: never, operationId: `${id}:create`, owner };
  await provider.create(call, sampleSpec({ id, network: "net-1", sshKeys: [], owner }));
  return id;
}

async function seen(id: string): Promise<Machine | undefined> {
  return provider.machine({ signal: never }, id);
}

function lists(): number {
  const { requests } = cluster.server;
  return [
    "LIST pods",
    "LIST datavolumes.cdi.kubevirt.io",
    "GET pods",
    "GET datavolumes.cdi.kubevirt.io",
  ]
    .map((sort) => requests.get(sort) ?? 0)
    .reduce((sum, each) => sum + each, 0);
}

test("what a disk hangs on is told once the machine hangs, and not any more when it is mended", async () => {
  cluster.nodes.fills({ stuck: "Unable to connect to http data source" });
  const ids = await Promise.all(Array.from({ length: 6 }, () => made()));
  const before = lists();
  for (let pass = 0; pass < 20; pass += 1) {
    // oxlint-disable-next-line no-await-in-loop -- passes, one after the other
    const { items } = await provider.machines({ signal: never });
    expect(items).toHaveLength(6);
    expect(items.map(({ waiting: why }) => why)).toEqual(items.map(() => undefined));
  }
  // They do not hang yet, by the clock that the driver was given.
  expect(lists()).toBe(before);

  aheadMs += 6_000;
  for (const id of ids) {
    // oxlint-disable-next-line no-await-in-loop -- the one and then the other
    await vi.waitFor(async () => {
      expect((await seen(id))?.waiting).toMatchObject({
        code: "import_stuck",
        message: expect.stringContaining("Unable to connect to http data source"),
        advice: expect.stringContaining("the image's address"),
        who: "operator",
      });
    }, waiting);
  }
  // Each was asked about once: for two lists, however often somebody looked.
  expect(lists() - before).toBe(12);

  const [first = ""] = ids;
  const told: string[] = [];
  const closing = new AbortController();
  const listening = (async () => {
    for await (const id of provider.changes({ signal: closing.signal })) told.push(id);
  })();
  cluster.nodes.fills("at once");
  await vi.waitFor(async () => {
    const machine = await seen(first);
    expect(machine).toMatchObject({ power: { value: "running" } });
    expect(machine).not.toHaveProperty("waiting");
  }, waiting);
  await vi.waitFor(() => expect(told).toContain(first), waiting);
  closing.abort();
  await listening;
});

test("a guest that does not answer is told after the time that one boots; one that did is left alone", () => {
  const domain = { cpu: { sockets: 1 }, memory: { guest: "1Gi" }, devices: {} };
  const metadata = { name: "m", namespace: "p", uid: "u" };
  const instance = read.instance({ metadata, spec: { domain }, status: { phase: "Running" } });
  const machine = read.machine({
    metadata,
    spec: { runStrategy: "Always", template: { spec: { domain } } },
  });
  const condition = machineCondition({ machine, instance, pods: [], dataVolumes: [] }, 0);
  const of = (ranMs: number, ready: boolean): ReturnType<typeof remarksOf> =>
    remarksOf(condition, {
      power: { value: "running", at: ranMs },
      powerSince: 0,
      guest: { ready },
    });
  expect(of(60_000, false)).toEqual({});
  expect(of(180_000, false).waiting).toMatchObject({ code: "guest_agent_silent", who: "customer" });
  expect(of(180_000, true)).toEqual({});
});

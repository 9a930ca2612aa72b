import { afterEach, beforeEach, expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { KubeClient } from "./client.ts";
import { ConnectionError, RefusedError } from "./errors.ts";
import { clientLimits } from "./options.ts";

let server: KubeServer;
let client: KubeClient;
const call = { signal: new AbortController().signal };
const quick = { attemptsMax: 3, firstDelayMs: 1, delayMaxMs: 5, retryAfterMaxMs: 1000 };
const limits = {
  ...clientLimits,
  calls: { ...clientLimits.calls, retry: quick },
  list: { pageItems: 10, itemsMax: 1000, restartsMax: 3 },
};
const write = { manager: "test", validation: "none" } as const;

beforeEach(async () => {
  server = await startKube();
  client = new KubeClient(server.cluster(), limits);
  for (const name of ["n", "other"])
    server.objects.create(kinds.namespace, undefined, head(name), write);
  for (let n = 0; n < 35; n += 1) add("n", n);
  add("other", 0);
});

afterEach(async () => {
  client.close();
  await server.close();
});

function head(name: string, labels: Record<string, string> = {}) {
  return { metadata: { name, labels } };
}

function add(namespace: string, n: number): void {
  const name = `c${String(n).padStart(3, "0")}`;
  const labels = { parity: n % 2 === 0 ? "even" : "odd" };
  server.objects.create(kinds.configMap, namespace, head(name, labels), write);
}

function pagesAsked(): number {
  return server.requests.get("GET configmaps") ?? 0;
}

test("all pages make one list of one version, without managedFields", async () => {
  const all = await client.list(call, kinds.configMap, { namespace: "n" });
  expect(all.items.map(({ metadata }) => metadata.name)).toEqual(
    Array.from({ length: 35 }, (_, n) => `c${String(n).padStart(3, "0")}`),
  );
  expect(pagesAsked()).toBe(4);
  expect(all.items[0]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  expect(all.items[0]?.metadata["managedFields"]).toBeUndefined();
  expect(all.resourceVersion).toBe(String(server.objects.store.version));
});

test("labels, fields and namespaces choose", async () => {
  const names = async (labels: string) =>
    (await client.list(call, kinds.configMap, { labels })).items.length;
  expect(await names("parity=even")).toBe(19);
  expect(await names("parity in (even, odd), parity!=even")).toBe(17);
  expect(await names("parity notin (even)")).toBe(17);
  expect(await names("!parity")).toBe(0);
  const one = await client.list(call, kinds.configMap, { fields: "metadata.name=c000" });
  expect(one.items.map(({ metadata }) => metadata.namespace)).toEqual(["n", "other"]);
});

test("a page whose version is gone begins the list again; nothing of the old one is in it", async () => {
  const { store } = server.objects;
  const [early] = store.all(kinds.configMap, "n");
  server.faults.onRequest = () => {
    if (pagesAsked() !== 3 || early === undefined) return;
    store.remove(kinds.configMap, early);
    store.compact();
  };
  const all = await client.list(call, kinds.configMap, { namespace: "n" });
  expect(all.items).toHaveLength(34);
  // Two that were in vain, the one that was too late, and four.
  expect(pagesAsked()).toBe(7);
});

test("a list that always expires ends with 410", async () => {
  let added = 100;
  server.faults.onRequest = () => {
    add("n", (added += 1));
    server.objects.store.compact();
  };
  await expect(client.list(call, kinds.configMap)).rejects.toMatchObject({
    code: 410,
    reason: "Expired",
  });
});

test("a connection that is cut within a page costs that page, not the list", async () => {
  server.faults.cutAnswers(2);
  const all = await client.list(call, kinds.configMap, { namespace: "n" });
  expect(all.items).toHaveLength(35);
  expect(pagesAsked()).toBe(6);
});

test("half a list is no list", async () => {
  server.faults.cutAnswers(100);
  await expect(client.list(call, kinds.configMap)).rejects.toBeInstanceOf(ConnectionError);
});

test("a list has a limit", async () => {
  const few = { ...limits, list: { ...limits.list, itemsMax: 20 } };
  const other = new KubeClient(server.cluster(), few);
  await expect(other.list(call, kinds.configMap)).rejects.toBeInstanceOf(RefusedError);
  other.close();
});

/**
 * The whole line of a machine on a cluster, in the program as it is: rented, used, billed. The cluster
 * is the test server of this folder; its own instants are the evidence that the bill is compared with.
 */
import { once } from "node:events";
import { createConnection } from "node:net";

import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";

import type { Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { present } from "#kernel/assert.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { nodeHasher, nodeSha256, nodeVerify } from "#tlog/node-crypto.ts";
import { verifyBundle } from "#verify/verify.ts";

import { listAt, textAt } from "./api/json.ts";
import { startClusterCloud } from "./cloud.ts";
import { Standing } from "./standing.ts";
import { agentSince } from "./true-runs.ts";

const cloud = await startClusterCloud();
const { cluster } = cloud;
const standing = new Standing(cluster);
const hourMs = 3_600_000;
const waiting = { timeout: 180_000, interval: 100 };
const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 someone";

let tries = 0;
/** Of each run, by the cluster's own clock: when its guest answered, and when it ended. */
const runs = new Map<string, { readyAt?: number; endedAt?: number; name: string }>();
cluster.server.objects.store.listen(({ kind, after }) => {
  if (kind !== kinds.machineInstance || after === undefined) return;
  const { uid, name } = after.metadata;
  const run = runs.get(uid) ?? { name };
  runs.set(uid, run);
  const ready = agentSince(after);
  if (ready !== undefined) run.readyAt ??= ready;
  for (const each of listAt(after, "status", "phaseTransitionTimestamps")) {
    if (!["Succeeded", "Failed"].includes(textAt(each, "phase"))) continue;
    run.endedAt ??= Date.parse(textAt(each, "phaseTransitionTimestamp"));
  }
});

async function succeeded(client: Client, { id }: AnswerOf<"getOperation">): Promise<void> {
  await vi.waitFor(async () => {
    const params = { operationId: id };
    const { state, reason } = await client.call("getOperation", { params });
    expect({ state, reason }).toEqual({ state: "succeeded", reason: null });
  }, waiting);
}

test("M-VM-01, M-VM-02, M-VM-05, MT-02, R-PAYG-1, R-EVT-2: a machine on a cluster is rented, used through our API, stopped, resized, snapshot, restored and released; it is billed to the second of the cluster's own clock, over a kill of the server, and the bill is proven", async () => {
  // Another try is another customer's.
  runs.clear();
  tries += 1;
  const operator = (): Client => cloud.client(cloud.operatorKey);
  await vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    expect(items.map(({ name }) => name).toSorted()).toEqual(["node-1", "node-2"]);
  }, waiting);
  const { sites } = await operator().call("getSystem");
  expect(sites).toMatchObject([
    { site: "cluster-1", kind: "kubevirt", execution: "kvm", reachable: true },
  ]);

  // 1. A customer, with money and a key.
  const { tenant, administrator } = await operator().call("createTenant", {
    body: { name: `acme-${tries}` },
  });
  const forAcme = (): Client => cloud.client(cloud.operatorKey, tenant.id);
  await forAcme().call("createTopUp", { body: { amount: "1000", reference: "transfer 1" } });
  const acme = (): Client => cloud.client(administrator.secret);
  await acme().call("createSshKey", { body: { name: "laptop", publicKey: sshKey } });
  const images = await acme().call("listImages");
  expect(images.items.map(({ name, defaultUser }) => [name, defaultUser])).toEqual([
    ["tiny", "root"],
    ["ubuntu-24.04", "ubuntu"],
  ]);

  // 2. He rents a machine; it boots, and is ready at an address.
  const body = { name: "web", flavor: "nano", image: "ubuntu-24.04" };
  const rented = await acme().call("createLease", { body });
  const key = { params: { leaseId: rented.lease.id } };
  await succeeded(acme(), rented.operation);
  const lease = await acme().call("getLease", key);
  expect(lease).toMatchObject({ state: "running", execution: "kvm" });
  const endpoint = present(lease.endpoints[0], "the SSH endpoint");
  expect(endpoint).toMatchObject({ host: "127.0.0.1", user: "ubuntu" });
  expect(await banner(endpoint)).toBe("SSH-2.0-Test\r\n");
  const ofTenant = (kind: typeof kinds.machine) =>
    cluster.server.objects.store
      .all(kind)
      .filter(({ metadata }) => metadata.labels?.["millrace.dev/tenant"] === tenant.id);
  const { namespace = "", name } = present(ofTenant(kinds.machine)[0], "the machine").metadata;
  const place = { namespace, name };
  expect([...runs.values()]).toMatchObject([{ name }]);

  // 3. Its serial line, through our API.
  expect(await typed(lease.id, administrator.secret, "hello")).toContain("login: hello");

  // 4. An hour later: off, larger, on; a snapshot while it runs, and back to it.
  await cloud.setForward(hourMs);
  await succeeded(acme(), (await acme().call("stopLease", key)).operation);
  expect(await acme().call("getLease", key)).toMatchObject({ state: "stopped", endpoints: [] });
  const larger = { ...key, body: { flavor: "medium" } };
  await succeeded(acme(), (await acme().call("resizeLease", larger)).operation);
  await cloud.setForward(hourMs / 2);
  await succeeded(acme(), (await acme().call("startLease", key)).operation);
  await vi.waitFor(async () => {
    expect(await acme().call("getLease", key)).toMatchObject({
      state: "running",
      flavor: { name: "medium" },
    });
  }, waiting);
  // KubeVirt keeps no memory: said at once, and no failed snapshot is left behind.
  const withMemory = acme().call("createSnapshot", {
    ...key,
    body: { name: "all", withMemory: true },
  });
  await expect(withMemory).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("Take one of the disk alone"),
  });
  expect((await acme().call("listSnapshots", key)).items).toEqual([]);
  expect((await acme().call("getLease", key)).capabilities).toMatchObject({
    diskGrow: { can: true },
    snapshotWithMemory: { can: false },
  });
  // Who does not say gets what is kept there.
  const taken = await acme().call("createSnapshot", { ...key, body: { name: "before" } });
  expect(taken.snapshot.withMemory).toBe(false);
  await succeeded(acme(), taken.operation);
  await cloud.setForward(hourMs);
  const revert = { params: { leaseId: lease.id, snapshotId: taken.snapshot.id } };
  await succeeded(acme(), (await acme().call("revertSnapshot", revert)).operation);
  await vi.waitFor(async () => {
    expect(await acme().call("getLease", key)).toMatchObject({ state: "running" });
  }, waiting);

  // 5. The server is killed. While nobody looks the guest switches itself off, and time passes: nothing is
  // left that tells when, because KubeVirt takes the run away at once.
  const lookedAt = cloud.now();
  await vi.waitFor(
    () => expect(standing.runsSeenUntil()).toBeGreaterThanOrEqual(lookedAt),
    waiting,
  );
  await cloud.kill();
  const seenUntil = standing.runsSeenUntil();
  const unseen = cluster.server.objects.store.get(kinds.machineInstance, place)?.metadata.uid;
  await cloud.setForward(hourMs / 3);
  cluster.nodes.guestEnds(place, "shut down");
  await cloud.setForward(hourMs / 3);
  await cloud.start();
  await vi.waitFor(async () => {
    expect(await acme().call("getLease", key)).toMatchObject({ state: "stopped" });
  }, waiting);
  await succeeded(acme(), (await acme().call("startLease", key)).operation);
  await cloud.setForward(hourMs / 4);
  // Killed while it runs, it goes on, and so does its meter.
  await cloud.kill();
  await cloud.setForward(hourMs / 5);
  await cloud.start();
  await vi.waitFor(async () => {
    expect(await acme().call("getLease", key)).toMatchObject({ state: "running" });
  }, waiting);

  // 6. Stopped and released: nothing of it is left, and what it used is known to the second.
  await succeeded(acme(), (await acme().call("stopLease", key)).operation);
  await succeeded(acme(), (await acme().call("releaseLease", key)).operation);
  await vi.waitFor(() => {
    expect(ofTenant(kinds.machine)).toEqual([]);
    expect(ofTenant(kinds.machineInstance)).toEqual([]);
  }, waiting);
  const used = [...runs].filter(([, { readyAt }]) => readyAt !== undefined);
  expect(used.length).toBe(4);
  const intervals = await vi.waitFor(async () => {
    const { items } = await acme().call("listUsage", { query: { limit: 200 } });
    expect(items.filter(({ until }) => until === null)).toEqual([]);
    return items.filter(({ sku }) => sku === "cpu.core");
  }, waiting);
  // The row of the machine may be a part of a second younger than the second in which it was ready.
  const billed = intervals
    .map(({ from, until }) => [second(from), second(until ?? "")])
    .toSorted(([a = 0], [b = 0]) => a - b);
  const expected = used.map(([uid, { readyAt, endedAt }], index) => [
    readyAt,
    uid === unseen ? billed[index]?.[1] : endedAt,
  ]);
  expect(billed).toEqual(expected);
  // What nobody saw to its end: all that was seen of it, and no second that it did not run.
  const unseenAt = used.findIndex(([uid]) => uid === unseen);
  expect(billed[unseenAt]?.[1]).toBeGreaterThanOrEqual(second(seenUntil));
  expect(billed[unseenAt]?.[1]).toBeLessThanOrEqual(runs.get(unseen ?? "")?.endedAt ?? 0);
  // One core in the first run, two after the resize.
  const coreSeconds = seconds(expected.slice(0, 1)) + 2 * seconds(expected.slice(1));

  // 7. Rated, charged, in the log; and once the month is closed, on an invoice that proves itself.
  const month = new Date(cloud.now()).toISOString().slice(0, 7);
  await cloud.setForward(monthEnd(cloud.now()) + 49 * hourMs - cloud.now());
  await vi.waitFor(async () => {
    const { items } = await acme().call("listUsageEvents", { query: { month, limit: 200 } });
    expect(items.length).toBeGreaterThan(0);
    expect(items.filter(({ leafIndex }) => leafIndex === null)).toEqual([]);
    const { lines } = await acme().call("getStatement", { query: { month } });
    expect(new Set(lines.map(({ state }) => state))).toEqual(new Set(["posted"]));
  }, waiting);
  // Money that comes in makes invoices be looked at.
  await forAcme().call("createTopUp", { body: { amount: "1", reference: "look at invoices" } });
  const invoice = await vi.waitFor(async () => {
    const { items } = await acme().call("listInvoices");
    return present(
      items.find(({ number }) => number !== null),
      "the invoice",
    );
  }, waiting);
  const statement = await acme().call("getStatement", { query: { month } });
  const cores = statement.lines.filter(({ sku }) => sku === "cpu.core");
  expect(cores.map(({ quantity }) => Number(quantity))).toEqual([
    expect.closeTo(coreSeconds / 3600, 6),
  ]);
  const { items: journals } = await acme().call("listJournals", { query: { limit: 200 } });
  const charged = journals.filter(({ kind }) => kind === "charge");
  expect(charged.length).toBeGreaterThan(0);
  expect(await operator().call("checkLedger")).toMatchObject({ sum: "0.00", problems: [] });
  expect(await operator().call("checkUsage")).toMatchObject({ problems: [] });
  await vi.waitFor(async () => {
    const bundle = await fetch(`${cloud.url()}/v1/bundles/${month}`, {
      headers: { authorization: `Bearer ${administrator.secret}` },
    });
    const verdict = verifyBundle(new Uint8Array(await bundle.arrayBuffer()), {
      crypto: { sha256: nodeSha256, hasher: nodeHasher(), verify: nodeVerify },
      trust: { key: undefined, checkpoint: undefined },
    });
    expect(verdict).toMatchObject({
      failures: [],
      isProved: true,
      bill: { state: "final", total: statement.total, invoice: invoice.number },
    });
  }, waiting);
}, 900_000);

/** What an SSH server says first. */
async function banner({ host, port }: { readonly host: string; readonly port: number }) {
  const socket = createConnection({ host, port });
  const [data]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(data);
}

/** What the console of a lease shows to somebody who types that. */
async function typed(leaseId: string, credential: string, text: string): Promise<string> {
  const url = `${cloud.url()}/v1/leases/${leaseId}/console`.replace("http", "ws");
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${credential}` } });
  let shown = "";
  socket.on("message", (data: Buffer) => {
    shown += data.toString();
  });
  await once(socket, "open");
  await vi.waitFor(() => expect(shown).toContain("login: "), waiting);
  socket.send(text);
  await vi.waitFor(() => expect(shown).toContain(text), waiting);
  socket.close();
  return shown;
}

/** The first instant of the next month in Shanghai. */
function monthEnd(at: number): number {
  const local = new Date(at + 8 * hourMs);
  return Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - 8 * hourMs;
}

function second(time: string | number): number {
  return Math.floor(new Date(time).getTime() / 1000) * 1000;
}

function seconds(of: readonly (readonly (number | undefined)[])[]): number {
  return of.reduce((sum, [from = 0, until = 0]) => sum + (until - from) / 1000, 0);
}

/**
 * A machine on a cluster is cloned, in the program as it is, which is killed while the disk is being
 * copied; and what somebody's own pool of machines does to the customer whose labels it carries.
 */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import { present } from "#kernel/assert.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { objectAt, textAt } from "./api/json.ts";
import { startClusterCloud } from "./cloud.ts";

const cloud = await startClusterCloud();
const { store } = cloud.cluster.server.objects;
const byHand = { manager: "kubectl", validation: "Ignore" } as const;
const waiting = { timeout: 180_000, interval: 100 };

test("a machine on a cluster is cloned over a kill of the server between the snapshot and the machine: one copy, billed once, and no snapshot stays; machines that a pool of somebody else's makes are nobody's lease", async () => {
  const operator = (): Client => cloud.client(cloud.operatorKey);
  const { tenant, administrator } = await operator().call("createTenant", {
    body: { name: "cloner" },
  });
  const top = { amount: "1000", reference: "transfer 1" };
  await cloud.client(cloud.operatorKey, tenant.id).call("createTopUp", { body: top });
  const acme = (): Client => cloud.client(administrator.secret);
  const runs = async (leaseId: string) =>
    vi.waitFor(async () => {
      const lease = await acme().call("getLease", { params: { leaseId } });
      expect({ state: lease.state, reason: lease.reason }).toEqual({
        state: "running",
        reason: null,
      });
      return lease;
    }, waiting);
  await vi.waitFor(async () => {
    expect((await operator().call("listHosts")).items).toHaveLength(2);
  }, waiting);
  const body = { name: "web", flavor: "nano" };
  const web = await runs((await acme().call("createLease", { body })).lease.id);

  // It dies as soon as the snapshot is there, before anything was made of it.
  let killed: Promise<void> | undefined;
  const ofTenant = (kind: typeof kinds.machine) =>
    store
      .all(kind)
      .filter(({ metadata }) => metadata.labels?.["millrace.dev/tenant"] === tenant.id);
  store.listen(({ kind, after }) => {
    if (kind !== kinds.snapshot || after === undefined) return;
    if (textAt(after, "status", "phase") === "Succeeded") killed ??= cloud.kill();
  });
  const params = { leaseId: web.id };
  const asked = await acme().call("cloneLease", { params, body: { name: "web-2" } });
  expect(asked.lease.reason).toMatchObject({ code: "disk_being_copied" });
  await vi.waitFor(() => expect(killed).toBeDefined(), waiting);
  await killed;
  expect(ofTenant(kinds.machine)).toHaveLength(1);
  await cloud.start();

  const copy = await runs(asked.lease.id);
  expect(copy.instanceId).not.toBe(web.instanceId);
  const machines = ofTenant(kinds.machine);
  expect(machines).toHaveLength(2);
  const made = present(
    machines.find(({ metadata }) => metadata.name === `m-${copy.instanceId}`),
    "the copy",
  );
  expect(made.metadata.labels).toMatchObject({ "millrace.dev/resource": copy.id });
  expect(textAt(made, "spec", "template", "spec", "domain", "firmware", "uuid")).toBe(
    copy.instanceId,
  );
  await vi.waitFor(async () => {
    expect(ofTenant(kinds.snapshot)).toEqual([]);
    expect((await acme().call("listSnapshots", { params })).items).toEqual([]);
  }, waiting);
  expect(await runs(web.id)).toMatchObject({ instanceId: web.instanceId, readyAt: web.readyAt });

  // A pool that somebody made by hand: a member has our labels, and a name that no row chose.
  const { namespace = "", labels = {} } = made.metadata;
  const member = { name: "web-pool-0", namespace, labels };
  cloud.cluster.server.objects.create(
    kinds.machine,
    namespace,
    { metadata: member, spec: { ...objectAt(made, "spec"), dataVolumeTemplates: [] } },
    byHand,
  );
  await cloud.setForward(600_000);
  for (const { id } of [web, copy]) await acme().call("releaseLease", { params: { leaseId: id } });
  await vi.waitFor(async () => {
    const { items } = await acme().call("listLeases", { query: {} });
    expect(items.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      "web released",
      "web-2 released",
    ]);
    expect(ofTenant(kinds.machine).map(({ metadata }) => metadata.name)).toEqual(["web-pool-0"]);
    const { items: used } = await acme().call("listUsage", { query: {} });
    const billed = new Set(used.map(({ resourceId }) => resourceId));
    expect([...billed].toSorted()).toEqual([web.id, copy.id].toSorted());
  }, waiting);
}, 600_000);

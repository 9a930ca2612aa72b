/**
 * The end of a project, and of a tenant, in the program as it is: what the cluster holds of them goes with
 * them, over a kill of the server, and what storage keeps is an alert.
 */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import { present } from "#kernel/assert.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { startClusterCloud } from "./cloud.ts";

const cloud = await startClusterCloud();
const { objects } = cloud.cluster.server;
const waiting = { timeout: 120_000, interval: 100 };
const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 someone";
const byHand = { manager: "csi", validation: "Ignore" } as const;

let tries = 0;

/** Everything in the cluster that says that it is this tenant's, or his project's. */
function ofTenant(tenantId: string, projectId?: string): readonly string[] {
  return objects.store.kinds.flatMap((kind) =>
    objects.store.all(kind).flatMap(({ metadata }) => {
      const labels = metadata.labels ?? {};
      const isHis = labels[labelKeys.tenant] === tenantId;
      const isOfProject = projectId === undefined || labels[labelKeys.project] === projectId;
      return isHis && isOfProject ? `${kind.plural} ${metadata.name}` : [];
    }),
  );
}

async function succeeded(client: Client, operationId: string): Promise<void> {
  await vi.waitFor(async () => {
    const { state, reason } = await client.call("getOperation", { params: { operationId } });
    expect({ state, reason }).toEqual({ state: "succeeded", reason: null });
  }, waiting);
}

async function rented(client: Client, project?: string): Promise<string> {
  const body = {
    name: "web",
    flavor: "nano",
    image: "tiny",
    ...(project && { projectId: project }),
  };
  const { lease, operation } = await client.call("createLease", { body });
  await succeeded(client, operation.id);
  return lease.id;
}

async function released(client: Client, leaseId: string): Promise<void> {
  const { operation } = await client.call("releaseLease", { params: { leaseId } });
  await succeeded(client, operation.id);
}

test("I-TEN-02: a project that is removed leaves nothing in the cluster, nor does a tenant who left", async () => {
  tries += 1;
  const operator = (): Client => cloud.client(cloud.operatorKey);
  await vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    expect(items).toHaveLength(2);
  }, waiting);
  const { tenant, administrator } = await operator().call("createTenant", {
    body: { name: `leaves-${tries}` },
  });
  const forTenant = (): Client => cloud.client(cloud.operatorKey, tenant.id);
  await forTenant().call("createTopUp", { body: { amount: "1000", reference: "transfer 1" } });
  const customer = (): Client => cloud.client(administrator.secret);
  await customer().call("createSshKey", { body: { name: "laptop", publicKey: sshKey } });
  const project = await customer().call("createProject", { body: { name: "trial" } });
  const here = { params: { projectId: project.id } };
  const inProject = await rented(customer(), project.id);
  const inDefault = await rented(customer());
  expect(ofTenant(tenant.id, project.id)).toContain("networkpolicies default-deny");

  // Not while a machine is there.
  await expect(customer().call("deleteProject", here)).rejects.toMatchObject({
    code: "wrong_state",
  });
  // Storage of a class that keeps volumes.
  const machine = objects.store
    .all(kinds.machine)
    .find(({ metadata }) => metadata.labels?.[labelKeys.project] === project.id);
  const { namespace = "" } = present(machine, "the machine").metadata;
  const name = `pv-${project.id}`;
  const claimRef = { namespace, name: "root" };
  const spec = { persistentVolumeReclaimPolicy: "Retain", claimRef };
  objects.create(kinds.volume, undefined, { metadata: { name }, spec }, byHand);
  await released(customer(), inProject);
  await customer().call("deleteProject", here);
  await cloud.kill();
  await cloud.start();
  await vi.waitFor(() => expect(ofTenant(tenant.id, project.id)).toEqual([]), waiting);
  await vi.waitFor(async () => {
    const { items } = await operator().call("listAlerts");
    const left = items.filter(({ text }) => text.includes(name));
    expect(left).toMatchObject([{ kind: "project_left", severity: "warning" }]);
  }, waiting);

  // He leaves: suspended, what is left is released, and his default project goes too.
  expect(ofTenant(tenant.id)).toContain("networkpolicies default-deny");
  const { items } = await customer().call("listProjects");
  const own = present(items[0], "the default project");
  const account = { params: { tenantId: tenant.id } };
  await operator().call("updateTenant", { ...account, body: { state: "suspended" } });
  await released(forTenant(), inDefault);
  await forTenant().call("deleteProject", { params: { projectId: own.id } });
  await vi.waitFor(() => expect(ofTenant(tenant.id)).toEqual([]), waiting);
  // He comes back.
  await operator().call("updateTenant", { ...account, body: { state: "active" } });
  await released(customer(), await rented(customer()));
}, 600_000);

test("I-VM-03: a port that a customer opens stands in the cluster, and goes when he closes it", async () => {
  const operator = cloud.client(cloud.operatorKey);
  const { tenant, administrator } = await operator.call("createTenant", {
    body: { name: "opens-ports" },
  });
  const body = { amount: "1000", reference: "transfer 1" };
  await cloud.client(cloud.operatorKey, tenant.id).call("createTopUp", { body });
  const customer = cloud.client(administrator.secret);
  const leaseId = await rented(customer);
  const { projectId } = await customer.call("getLease", { params: { leaseId } });
  const opening = await customer.call("createOpening", {
    params: { projectId },
    body: { leaseId, port: 443, sources: ["203.0.113.0/24"] },
  });
  const name = `networkpolicies open-tcp-443-${leaseId}`;
  await vi.waitFor(() => expect(ofTenant(tenant.id)).toContain(name), waiting);
  await customer.call("deleteOpening", { params: { openingId: opening.id } });
  await vi.waitFor(() => expect(ofTenant(tenant.id)).not.toContain(name), waiting);
  expect(ofTenant(tenant.id)).toContain("networkpolicies open-tcp-22-all");
}, 600_000);

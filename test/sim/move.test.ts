/** A lease that moves to another host while it runs: by the operator's word, off a host in maintenance. */
import { beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { createClient, type Client } from "#client/client.ts";
import { listHosts, setMaintenance, setSchedulable } from "#flow/place/hosts.ts";
import { ensureOperator } from "#identity/operator.ts";
import { present } from "#kernel/assert.ts";

import { jobCloud } from "./job-cloud.ts";

const timeout = 240_000;
const cloud = await jobCloud({
  hosts: ["h1", "h2"],
  gpus: ["g0"],
  capabilities: { startElsewhere: { can: true } },
});

let operator: Client;

beforeAll(async () => {
  await cloud.start();
  const root = await cloud.db.transaction((tx) => ensureOperator(tx, Date.now()));
  const { tenantId: tenant, url: baseUrl } = cloud;
  operator = createClient({ baseUrl, credential: present(root, "the operator").secret, tenant });
}, timeout);

function eventually<T>(look: () => Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 90_000, interval: 50 });
}

const held = z.object({ host: z.string(), id: z.string(), spec: z.string() });

/** Where rows say that it is: its placement, and its instance. */
function placeOf(leaseId: string): Promise<z.infer<typeof held>> {
  return cloud.db.one(
    sql`select h.name as host, h.id, g.native_id as spec
      from placement p join host h on h.id = p.host_id
        join instance i on i.id = p.instance_id join host g on g.id = i.host_id
      where p.request_id = ${leaseId} and p.state = 'full'`,
    held,
  );
}

async function runningLease(name: string, flavor = "nano"): Promise<string> {
  const { lease } = await cloud.api.call("createLease", {
    body: { name, flavor, image: "tiny" },
  });
  await eventually(async () => {
    const { state } = await cloud.api.call("getLease", { params: { leaseId: lease.id } });
    expect(state).toBe("running");
  });
  return lease.id;
}

test(
  "H-29: off a host in maintenance a lease moves while it runs: nothing of it stops, what it holds comes along, its owner reads of it",
  { timeout },
  async () => {
    const leaseId = await runningLease("web");
    const before = await placeOf(leaseId);
    const other = before.host === "h1" ? "h2" : "h1";
    await setMaintenance(cloud.db, before.id, true);
    await eventually(async () => {
      expect(await placeOf(leaseId)).toMatchObject({ host: other, spec: other });
    });
    const { items } = await cloud.api.call("listLeaseEvents", { params: { leaseId }, query: {} });
    const kinds = items.map(({ kind }) => kind);
    expect(kinds).toContain("moved");
    expect(kinds).not.toContain("stopped");
    expect(kinds.filter((kind) => kind === "ready")).toHaveLength(1);
    // Told is who has to do something.
    const { items: notices } = await cloud.api.call("listNotices", { query: {} });
    expect(notices.map(({ kind }) => kind)).not.toContain("lease_host_maintenance");
    const moves = await cloud.db.rows(
      sql`select state from operation where request_id = ${leaseId} and kind = 'move'`,
      z.object({ state: z.string() }),
    );
    expect(moves).toEqual([{ state: "succeeded" }]);
    await setSchedulable(cloud.db, before.id, true);
    await cloud.api.call("releaseLease", { params: { leaseId } });
  },
);

test(
  "H-29: a move is the operator's to ask for; what does not run does not move",
  { timeout },
  async () => {
    const leaseId = await runningLease("db");
    const params = { leaseId };
    await expect(cloud.api.call("moveLease", { params, body: {} })).rejects.toMatchObject({
      code: "forbidden",
    });
    const hosts = await listHosts(cloud.db, { limit: 9, after: undefined }, 0);
    const { host } = await placeOf(leaseId);
    const to = present(
      hosts.find(({ name }) => name !== host),
      "the other host",
    );
    const asked = await operator.call("moveLease", { params, body: { hostId: to.id } });
    expect(asked).toMatchObject({ operation: { kind: "move" }, to: to.name });
    await eventually(async () => {
      expect(await placeOf(leaseId)).toMatchObject({ host: to.name });
    });
    await cloud.api.call("stopLease", { params, body: {} });
    const late = operator.call("moveLease", { params, body: {} });
    await expect(late).rejects.toMatchObject({ code: "wrong_state" });
    await cloud.api.call("releaseLease", { params });
  },
);

test(
  "H-29: what cannot move while it runs is stopped by its owner in his own time, and comes up on another host",
  { timeout },
  async () => {
    const leaseId = await runningLease("train", "t4.1");
    const params = { leaseId };
    const before = await placeOf(leaseId);
    const lease = await cloud.api.call("getLease", { params });
    expect(lease.capabilities).toMatchObject({
      moveLive: { can: false },
      startElsewhere: { can: true },
    });
    await expect(operator.call("moveLease", { params, body: {} })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/GPU.* Stop it and start it again: .* another host/),
    });
    await setMaintenance(cloud.db, before.id, true);
    await eventually(async () => {
      const { items } = await cloud.api.call("listNotices", { query: {} });
      expect(items.map(({ kind }) => kind)).toContain("lease_evacuation");
    });
    await cloud.api.call("stopLease", { params, body: {} });
    await eventually(async () => {
      expect((await cloud.api.call("getLease", { params })).state).toBe("stopped");
    });
    await cloud.api.call("startLease", { params });
    await eventually(async () => {
      expect((await cloud.api.call("getLease", { params })).state).toBe("running");
    });
    const after = await placeOf(leaseId);
    expect(after.host).toBe(before.host === "h1" ? "h2" : "h1");
    expect(after.spec).toBe(after.host);
    const claims = await cloud.db.rows(
      sql`select c.host_id from gpu_claim c join instance i on i.id = c.instance_id
        where i.request_id = ${leaseId}`,
      z.object({ host_id: z.string() }),
    );
    expect(claims).toEqual([{ host_id: after.id }]);
    await setSchedulable(cloud.db, before.id, true);
    await cloud.api.call("releaseLease", { params });
  },
);

import { once } from "node:events";

import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";

import { present } from "#kernel/assert.ts";

import { addCustomer, qemuPid, rent, ssh, startCloud, succeeded } from "./cloud.ts";

const cloud = await startCloud("--warm-start", "off");
const acme = await addCustomer(cloud, "acme");

test("M-VM-02, M-VM-05: a rented machine is real: ssh answers, stop keeps the disk, release takes it away", async () => {
  const client = acme.client();
  const lease = await rent(client, { name: "vm1" });
  expect(lease).toMatchObject({ state: "running", start: "cold" });
  expect(await ssh(acme, lease, "uname -s && echo kept > /root/note && sync")).toBe("Linux\n");
  const key = { params: { leaseId: lease.id } };
  await succeeded(client, (await client.call("stopLease", key)).operation);
  expect(await client.call("getLease", key)).toMatchObject({ state: "stopped", endpoints: [] });
  await succeeded(client, (await client.call("startLease", key)).operation);
  const again = await client.call("getLease", key);
  expect(await ssh(acme, again, "cat /root/note")).toBe("kept\n");
  await succeeded(client, (await client.call("releaseLease", key)).operation);
  expect(await client.call("getLease", key)).toMatchObject({ state: "released" });
  expect(await qemuPid(present(lease.instanceId, "instance"))).toBeUndefined();
});

test("MT-02: kill -9 of a machine is seen within 2 s, metering stops then, the lease says why and restarts", async () => {
  const client = acme.client();
  const lease = await rent(client, { name: "vm2" });
  const key = { params: { leaseId: lease.id } };
  const killedAt = Date.now();
  process.kill(present(await qemuPid(present(lease.instanceId, "instance")), "QEMU"), "SIGKILL");
  await vi.waitFor(
    async () => {
      const { items } = await client.call("listLeaseEvents", key);
      expect(items).toContainEqual(expect.objectContaining({ kind: "crashed" }));
    },
    { timeout: 30_000, interval: 50 },
  );
  await vi.waitFor(
    async () => {
      const { items } = await client.call("listUsage", { query: { limit: 200 } });
      const ofLease = items.filter(
        ({ resourceId, sku }) => resourceId === lease.id && sku === "cpu.core",
      );
      const closed = present(ofLease[0], "the first interval");
      expect(closed.endReason).toBe("crashed");
      expect(Math.abs(Date.parse(closed.until ?? "") - killedAt)).toBeLessThan(2_000);
    },
    { timeout: 30_000, interval: 100 },
  );
  await vi.waitFor(
    async () => {
      expect(await client.call("getLease", key)).toMatchObject({ state: "running" });
    },
    { timeout: 60_000, interval: 200 },
  );
  expect(await ssh(acme, await client.call("getLease", key), "echo back")).toBe("back\n");
  await succeeded(client, (await client.call("releaseLease", key)).operation);
});

test("a restart of the control plane adopts the running machine and goes on metering", async () => {
  const lease = await rent(acme.client(), { name: "vm3" });
  const key = { params: { leaseId: lease.id } };
  const pid = await qemuPid(present(lease.instanceId, "instance"));
  await cloud.restart();
  const client = acme.client();
  expect(await qemuPid(present(lease.instanceId, "instance"))).toBe(pid);
  expect(await client.call("getLease", key)).toMatchObject({ state: "running" });
  expect(await ssh(acme, await client.call("getLease", key), "echo still")).toBe("still\n");
  const { items } = await client.call("listUsage", { query: { limit: 200 } });
  const cpu = items.filter(({ resourceId, sku }) => resourceId === lease.id && sku === "cpu.core");
  expect(cpu).toEqual([expect.objectContaining({ until: null })]);
  await succeeded(client, (await client.call("releaseLease", key)).operation);
});

test("H-04, H-10, H-17: a snapshot with memory is reverted; the serial console is interactive", async () => {
  const client = acme.client();
  const lease = await rent(client, { name: "vm4" });
  const key = { params: { leaseId: lease.id } };
  await ssh(acme, lease, "echo before > /root/state && sync");
  const { snapshot, operation } = await client.call("createSnapshot", {
    ...key,
    body: { name: "first" },
  });
  await succeeded(client, operation);
  await ssh(acme, lease, "echo after > /root/state && sync");
  const revert = { params: { leaseId: lease.id, snapshotId: snapshot.id } };
  await succeeded(client, (await client.call("revertSnapshot", revert)).operation);
  await vi.waitFor(
    async () => {
      const now = await client.call("getLease", key);
      expect(await ssh(acme, now, "cat /root/state")).toBe("before\n");
    },
    { timeout: 30_000, interval: 500 },
  );
  await succeeded(client, (await client.call("deleteSnapshot", revert)).operation);

  const url = `${cloud.app().url ?? ""}/v1/leases/${lease.id}/console`.replace("http", "ws");
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${acme.credential}` },
  });
  let said = "";
  socket.on("message", (data: Buffer) => {
    said += data.toString();
  });
  await new Promise((done, failed) => {
    socket.once("open", done);
    socket.once("error", failed);
  });
  socket.send("\n");
  await vi.waitFor(() => {
    expect(said).not.toBe("");
  }, 30_000);
  socket.send("echo con''sole\n");
  await vi.waitFor(() => {
    expect(said).toContain("console");
  }, 30_000);
  socket.close();

  // As a page comes: with its session's cookie and its origin, without a subprotocol (noVNC).
  const screen = new WebSocket(`${url}?kind=vnc`, { headers: await pageHeaders(acme) });
  const [hello, isBinary] = z
    .tuple([z.instanceof(Buffer), z.boolean()])
    .parse(await once(screen, "message"));
  expect({ hello: hello.toString(), isBinary }).toEqual({ hello: "RFB 003.008\n", isBinary: true });
  screen.close();
  await succeeded(client, (await client.call("releaseLease", key)).operation);
});

async function pageHeaders({
  credential,
}: {
  readonly credential: string;
}): Promise<Record<string, string>> {
  const url = cloud.app().url ?? "";
  const answer = await fetch(`${url}/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ credential }),
  });
  expect(answer.status).toBe(201);
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  return { cookie, origin: new URL(url).origin };
}

test("I-TEN-01: another tenant's lease is not found, whatever is asked of it", async () => {
  const client = acme.client();
  const lease = await rent(client, { name: "vm5" });
  const stranger = (await addCustomer(cloud, "stranger")).client();
  const key = { params: { leaseId: lease.id } };
  for (const call of [
    () => stranger.call("getLease", key),
    () => stranger.call("stopLease", key),
    () => stranger.call("releaseLease", key),
    () => stranger.call("listLeaseEvents", key),
    () => stranger.call("createSnapshot", { ...key, body: { name: "x" } }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: "not_found" });
  }
  await succeeded(client, (await client.call("releaseLease", key)).operation);
});
